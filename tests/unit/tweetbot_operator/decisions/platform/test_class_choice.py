"""Which TweetBotClass a run has, and what the class gives to it."""

from dataclasses import replace
from typing import Any

import pytest

from builders.operator import DIGEST, a_class, a_complete_job, a_finished_pod, a_prepare_result, an_observed
from builders.plans import run_in
from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_contract.handover import GROUP, KIND, VERSION
from tweetbot_contract.status import ModelStatus, TweetBotStatus
from tweetbot_operator.client.parse import parse_cached_bot, parse_tweetbot
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.types.objects import InvalidTweetBot

FIVE_LINES = {"subject": {"handle": "gull"}, "sources": [{"archive": {"uri": "s3://uploads/gull.zip"}}]}
PLATFORM = {
    "output": {"s3": {"uri": "s3://models-{namespace}", "credentialsSecret": {"name": "{name}-s3"}}},
    "resources": {"gpu": {"resource": "amd.com/gpu"}, "cpu": "2"},
    "model": {"base": "scratch://mini"},
}


def a_stored(spec: dict[str, Any] | None = None, status: TweetBotStatus | None = None, **metadata: Any) -> Any:
    """Return a TweetBot as the operator reads it from the API server."""
    manifest: dict[str, Any] = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": "gull", "namespace": "team-a", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": FIVE_LINES if spec is None else spec,
        "status": status.to_dict() if status else {},
    }
    manifest["metadata"] |= metadata
    return parse_tweetbot(parse_cached_bot(manifest).document)


def look(bot: Any, *classes: TweetBotClass, **observed: Any) -> Plan:
    return plan(replace(an_observed(bot, **observed), classes=classes))


def get_reason(made: Plan) -> str:
    ready = made.status.find_condition("Ready")
    assert ready is not None
    return f"{ready.status} {ready.reason}: {ready.message}"


def record(made: Plan, spec: dict[str, Any] | None = None, **metadata: Any) -> Any:
    """Return the TweetBot with the status that was planned, as it is read back."""
    return a_stored(spec, made.status, **metadata)


def test_a_manifest_of_five_lines_gets_the_rest_from_the_default_class() -> None:
    made = look(a_stored(), a_class("gold"), a_class("standard", default=True, defaults=PLATFORM))
    assert run_in(made).run_class is not None
    bot = record(made)
    assert bot.spec.output.s3.uri == "s3://models-team-a"
    assert bot.spec.output.s3.credentials_secret.name == "gull-s3"
    assert (bot.spec.resources.gpu.resource, bot.spec.resources.gpu.count) == ("amd.com/gpu", 1)
    assert (bot.spec.resources.cpu, bot.spec.resources.memory) == ("2", "16Gi")
    assert run_in(made).identity == run_in(look(bot)).identity


def test_what_the_author_writes_counts_before_what_the_class_gives() -> None:
    spec = {**FIVE_LINES, "resources": {"cpu": "8"}, "model": {"method": "LoRA"}}
    bot = record(look(a_stored(spec), a_class(default=True, defaults=PLATFORM)), spec)
    assert (bot.spec.resources.cpu, bot.spec.resources.gpu.resource) == ("8", "amd.com/gpu")
    assert (bot.spec.model.base, bot.spec.model.method) == ("hf://gpt2", "LoRA"), "model is taken whole"


def test_without_an_output_anywhere_the_field_is_named() -> None:
    assert "spec.output: write where the model goes" in get_reason(look(a_stored()))
    assert "spec.output: write where" in get_reason(look(a_stored(), a_class(default=True)))


def test_an_edit_of_the_class_touches_no_run_and_starts_none() -> None:
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    edited = a_class(default=True, generation=2, defaults={**PLATFORM, "model": {"base": "scratch://small"}})
    again = look(record(made), edited)
    assert (run_in(again).id, run_in(again).run_class) == (run_in(made).id, run_in(made).run_class)
    job = a_complete_job(record(made))
    ended = look(record(made), edited, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),))
    assert (run_in(ended).stage, run_in(ended).run_class) == ("Train", run_in(made).run_class)
    gone = look(record(made))
    assert run_in(gone).id == run_in(made).id, "nor does a class that is gone"


def test_the_next_run_begins_with_the_class_as_it_is_then() -> None:
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    edited = a_class(default=True, generation=2, defaults={**PLATFORM, "model": {"base": "scratch://small"}})
    annotations = {"annotations": {f"{GROUP}/retrain-at": "now"}}
    again = look(record(made, **annotations), edited)
    assert (run_in(again).number, run_in(again).run_class.generation) == (2, 2)  # type: ignore[union-attr]
    assert record(again, **annotations).spec.model.base == "scratch://small"


def test_another_class_name_begins_a_run_where_what_is_trained_differs() -> None:
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    gold = a_class("gold", defaults={**PLATFORM, "model": {"base": "scratch://small"}})
    same = a_class("silver", defaults=PLATFORM)
    for chosen, number in ((gold, 2), (same, 1)):
        spec = {**FIVE_LINES, "className": chosen.name}
        moved = look(record(made, spec), chosen)
        assert (run_in(moved).number, run_in(moved).run_class.name) == (number, chosen.name)  # type: ignore[union-attr]
        assert look(record(moved, spec), chosen).status == moved.status


def test_pods_of_the_class_count_as_execution() -> None:
    plain = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    proxied = look(a_stored(), a_class(default=True, defaults=PLATFORM, pods={"proxy": {"https": "http://proxy:3128"}}))
    assert run_in(plain).id == run_in(proxied).id
    assert run_in(plain).execution != run_in(proxied).execution
    assert run_in(look(record(proxied))).execution == run_in(proxied).execution


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((), "False ClassNotFound: spec.className: no gold"),
        ((a_class("gold", defaults={"resources": {"cpu": "many"}}),), "False ClassInvalid: TweetBotClass gold: spec."),
    ],
)
def test_a_class_that_is_missing_or_invalid_is_named(classes: tuple[TweetBotClass, ...], expected: str) -> None:
    spec = {**FIVE_LINES, "className": "gold"}
    made = look(a_stored(spec), *classes)
    assert get_reason(made).startswith(expected)
    assert made.actions == ()
    begun = look(record(made, spec), a_class("gold", defaults=PLATFORM))
    assert run_in(begun).number == 1


def test_a_class_that_is_invalid_says_which_of_its_fields() -> None:
    assert a_class(defaults={"resources": {"cpu": "many"}}).error.startswith("spec.defaults.resources.cpu: ")
    assert a_class(budgets=[{}]).error.startswith("spec.budgets.0: give at least one of")
    assert a_class(defaults={"output": {"s3": {"endpoint": "https://s3"}}}).error == ""


def test_of_several_default_classes_the_newest_counts() -> None:
    old = replace(a_class("old", default=True, defaults=PLATFORM), created_at="2026-01-01T00:00:00Z")
    new = replace(a_class("new", default=True, defaults=PLATFORM), created_at="2026-02-01T00:00:00Z")
    assert run_in(look(a_stored(), new, old)).run_class.name == "new"  # type: ignore[union-attr]


@pytest.mark.parametrize("others", [(), (a_class("gold"),)], ids=["no class", "a class that is no default"])
def test_once_there_is_no_default_class_the_next_run_has_none(others: tuple[TweetBotClass, ...]) -> None:
    spec = {**FIVE_LINES, "output": {"s3": {"uri": "s3://models"}}}
    given = {"resources": {"cpu": "2"}}
    made = look(a_stored(spec), a_class("standard", default=True, defaults=given))
    assert run_in(look(record(made, spec), *others)) == run_in(made), "the run goes on as it began"
    again = record(made, spec, annotations={"tweetbot.dev/retrain-at": "2026-01-01"})
    begun = look(again, *others)
    assert (run_in(begun).number, run_in(begun).run_class) == (2, None)
    assert record(begun, spec).spec.resources.cpu == "4"


def test_what_only_a_removed_class_gave_is_asked_for_where_the_next_run_would_begin() -> None:
    made = look(a_stored(), a_class("standard", default=True, defaults=PLATFORM))
    again = record(made, annotations={"tweetbot.dev/retrain-at": "2026-01-01"})
    assert "False InvalidSpec: spec.output: write where the model goes" in get_reason(look(again))


def test_whatever_a_class_may_mend_waits_for_one() -> None:
    """Else a manifest of five lines that comes before the default class would wait for its next edit."""
    broken = a_class(default=True, defaults={"evaluation": {"gates": {"minImprovementPercent": 5}}, **PLATFORM})
    for made in (look(a_stored()), look(a_stored(), broken), look(a_stored({**FIVE_LINES, "className": "gold"}))):
        manifest = {"metadata": {"namespace": "team-a", "name": "gull", "uid": "u", "resourceVersion": "1"}}
        assert parse_cached_bot({**manifest, "status": made.status.to_dict()}).awaits_class, get_reason(made)
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    assert not parse_cached_bot({**manifest, "status": made.status.to_dict()}).awaits_class


def test_models_stay_where_they_are_found_though_a_class_moves() -> None:
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    published = made.status.model_copy(update={"model": MODEL})
    annotations = {"annotations": {f"{GROUP}/retrain-at": "now"}}
    moved = a_class(default=True, generation=2, defaults={"output": {"s3": {"uri": "s3://elsewhere"}}})
    again = look(a_stored(None, published, **annotations), moved)
    assert run_in(again).number == 2
    assert record(again, **annotations).spec.output.s3.uri == "s3://models-team-a"
    own = {**FIVE_LINES, "output": {"s3": {"uri": "s3://mine"}}}
    assert "uri and endpoint cannot change" in get_reason(look(a_stored(own, published, **annotations), moved))


def test_a_model_that_lies_elsewhere_binds_nothing() -> None:
    """As in a cluster whose namespaces were renamed."""
    spec = {**FIVE_LINES, "output": {"s3": {"uri": "s3://models-team-a"}}}
    made = look(a_stored(spec), a_class("gold"))
    model = MODEL.model_copy(update={"uri": "s3://models-team-a/former/gull/models/1"})
    ended = made.status.model_copy(update={"model": model})
    retrained = look(a_stored(spec, ended, annotations={f"{GROUP}/retrain-at": "now"}), a_class("gold"))
    assert run_in(retrained).number == 2


MODEL = ModelStatus(
    name="team-a-gull-1",
    uri="s3://models-team-a/team-a/gull/models/1",
    digest=DIGEST,
    size_bytes=1,
    published_at="2026-01-01T12:00:00Z",
    run_id="r",
    identity="i",
)


def test_an_invalid_tweetbot_keeps_its_run_whatever_the_class() -> None:
    made = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    broken = a_stored({**FIVE_LINES, "schedule": {"cron": "0 0 31 2 *"}}, made.status)
    assert isinstance(broken, InvalidTweetBot)
    refused = look(broken, a_class(default=True, defaults=PLATFORM))
    assert (refused.status.current_run, get_reason(refused)[:18]) == (made.status.current_run, "False InvalidSpec:")


def test_what_the_class_does_not_allow_is_refused_before_a_run_and_not_within_one() -> None:
    strict = a_class(default=True, generation=2, defaults=PLATFORM, limits={"bases": ["hf://gpt2"]})
    assert get_reason(look(a_stored(), strict)).startswith(
        "False ForbiddenByClass: spec.model.base: write hf://gpt2 (TweetBotClass standard)"
    )
    begun = look(a_stored(), a_class(default=True, defaults=PLATFORM))
    assert run_in(look(record(begun), strict)).id == run_in(begun).id
