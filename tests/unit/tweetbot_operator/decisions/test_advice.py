"""What to do about what the cluster says, and which field of the TweetBot it comes from."""

from typing import Any

import pytest

from builders.manifests import a_spec
from builders.operator import (
    a_bot_in,
    a_failed_job,
    a_failed_pod,
    a_refusal_of_the_trainer,
    a_train_result,
    an_observed,
)
from builders.plans import run_in
from builders.sentences import FULL, GATED, SENTENCES
from builders.sentences.fields import FIELD, find_field
from tweetbot_contract.handover import RETRAIN_ANNOTATION
from tweetbot_contract.reasons import ALL, BY_NAME
from tweetbot_contract.reasons.known_cause import FOREIGN
from tweetbot_contract.reasons.known_causes import KNOWN_CAUSES
from tweetbot_contract.reasons.reason import RETRAIN
from tweetbot_contract.status import ModelStatus
from tweetbot_operator.decisions.advice import advise, explain_start_timeout, find_advice
from tweetbot_operator.decisions.causes import find_cause, get_memory_advice
from tweetbot_operator.decisions.plan import plan

SPECS = {"full": a_spec(**FULL), "bare": a_spec(), "gated": a_spec(**GATED)}


def advice_on(name: str) -> str:
    sentence = SENTENCES[name]
    return " ".join(find_advice(BY_NAME[sentence.reason], sentence.words, SPECS[sentence.spec], sentence.stage))


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


def test_what_no_field_asks_for_is_made_anew_and_nothing_else_is_promised() -> None:
    words = "0/3 nodes are available: 3 Insufficient amd.com/gpu."
    assert advise(BY_NAME["Unschedulable"], words, SPECS["full"], "Train") == FOREIGN
    ended = explain_start_timeout(BY_NAME["Unschedulable"], words, SPECS["full"], "Train")
    assert ended.message == f"The Pod did not start within 600 s: {words} {FOREIGN}"


def test_who_has_created_what_was_missing_too_late_is_told_how_the_run_starts_again() -> None:
    ended = explain_start_timeout(BY_NAME["SecretNotFound"], 'secret "s3" not found', SPECS["full"], "Prepare")
    assert "Create the Secret s3 in the namespace" in ended.message
    assert ended.message.endswith(f"Then {RETRAIN}; after an edit of the spec the run starts again by itself.")


def test_whatever_asks_for_another_setting_asks_for_another_run() -> None:
    """A Job keeps what it was made with."""
    signal = find_cause(a_failed_pod(a_failed_job(a_bot_in("Train")), 132), "Train")
    advice = [*(reason.advice for reason in ALL), get_memory_advice("Prepare"), signal.advice]
    about_settings = [text for text in advice if "operator's setting" in text]
    assert len(about_settings) >= 4
    assert [text for text in about_settings if RETRAIN_ANNOTATION not in text] == []


#: What the trainer says without a field, and the fields of a TweetBot of three sources that it is about.
SAID = {
    "s3://team-a/posts.jsonl does not exist: upload it, or correct the address": "spec.sources[0].posts.uri",
    "s3://team-a/export.zip: the zip is an export of X; give it as a source of the kind archive": (
        "spec.sources[2].mastodon.uri"
    ),
    "the bucket s3://team-a does not exist: create it, or correct its name": (
        "spec.output.s3.uri and spec.sources[0].posts.uri and spec.sources[2].mastodon.uri"
    ),
    "X has no account @gull.": "spec.sources[1].x.handle",
}
THREE = {**FULL, "sources": [*FULL["sources"], {"mastodon": {"uri": "s3://team-a/export.zip"}}]}
ADDRESS = "write the address of the S3 API into spec.output.s3.endpoint, and look for a proxy in between"


def end_of(said: str, **changes: Any) -> str:
    """Return the message of a run whose trainer has refused its spec in these words."""
    bot = a_bot_in("Prepare", **THREE, **changes)
    job = a_failed_job(bot)
    pod = a_failed_pod(job, 10, said=a_refusal_of_the_trainer("SpecRefused", said))
    return run_in(plan(an_observed(bot, jobs=(job,), pods=(pod,)))).message or ""


@pytest.mark.parametrize("words", SAID)
def test_what_the_trainer_says_of_an_address_is_followed_by_the_field_with_it(words: str) -> None:
    assert f"See {SAID[words]}." in end_of(words)


def test_a_message_that_names_its_field_gets_no_other() -> None:
    assert "See " not in end_of("spec.sources[0].posts.uri: s3://team-a/posts.jsonl: the zip is an export of X")


def test_nobody_is_sent_to_another_bucket_once_a_model_is_published() -> None:
    model = ModelStatus(**a_train_result().model.model_dump(), run_id="1", identity="1")
    published = end_of(ADDRESS, status_fields={"model": model})
    assert "neither uri nor endpoint of spec.output.s3 can change: for that, create another TweetBot" in published
    assert "create another" not in end_of(ADDRESS)
