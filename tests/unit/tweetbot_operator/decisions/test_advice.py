"""What to do about what the cluster says, and which field of the TweetBot it comes from."""

import re
from typing import Any

import pytest

from builders.manifests import a_spec
from builders.sentences import FULL, SENTENCES
from tweetbot_contract.generate.crd import build_root_schema
from tweetbot_contract.reasons import BY_NAME
from tweetbot_contract.reasons.known_causes import KNOWN_CAUSES
from tweetbot_operator.decisions.advice import advise, find_advice

SPECS = {"full": a_spec(**FULL), "bare": a_spec()}
SCHEMA = build_root_schema()
FIELD = re.compile(r"\bspec(?:\.\w+(?:\[\d*\])?)+")


def advice_on(name: str) -> str:
    sentence = SENTENCES[name]
    return " ".join(find_advice(BY_NAME[sentence.reason], sentence.words, SPECS[sentence.spec], sentence.stage))


def find_field(path: str) -> dict[str, Any] | None:
    """Return the schema of a field such as spec.sources[0].x.handle, or None if there is none."""
    node: dict[str, Any] | None = SCHEMA
    for step in re.findall(r"\w+|\[\d*\]", path):
        node = (node or {}).get("items") if step.startswith("[") else (node or {}).get("properties", {}).get(step)
    return node


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_of_the_cluster_gets_advice_that_names_its_field(name: str) -> None:
    sentence, advice = SENTENCES[name], advice_on(name)
    assert set(FIELD.findall(advice)) == set(sentence.fields), advice
    assert advice
    assert sentence.says in advice


@pytest.mark.parametrize("name", SENTENCES)
def test_an_advised_field_exists(name: str) -> None:
    assert [field for field in FIELD.findall(advice_on(name)) if find_field(field) is None] == []


def test_every_known_cause_has_a_sentence() -> None:
    told = [(BY_NAME[each.reason], each.words, each.stage) for each in SENTENCES.values()]
    untold = [
        cause.says
        for cause in KNOWN_CAUSES
        if not any(
            reason in cause.reasons and cause.stage in ("", stage) and cause.find(words)
            for reason, words, stage in told
        )
    ]
    assert untold == []


def test_every_field_of_a_known_cause_exists() -> None:
    named = {
        field for cause in KNOWN_CAUSES for field in (*cause.fields, *FIELD.findall(cause.advice + cause.otherwise))
    }
    assert sorted(field for field in named if find_field(field) is None) == []


def test_an_unknown_sentence_gets_the_advice_of_its_reason() -> None:
    reason = BY_NAME["PodRefused"]
    assert advise(reason, "the moon is full", SPECS["full"], "Train") == reason.advice


def test_who_has_a_setting_of_the_operator_changed_is_told_how_the_run_learns_of_it() -> None:
    said = advise(BY_NAME["Unschedulable"], "0/1 nodes are available: 1 Insufficient cpu.", SPECS["full"], "Prepare")
    assert "After a change of the operator's setting, set the annotation tweetbot.dev/retrain-at." in said
