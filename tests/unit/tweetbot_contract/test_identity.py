"""Which edits start a new run."""

from typing import Any, get_args

import pytest

from builders.manifests import A_HUB, a_spec
from tweetbot_contract.generate.crd import make_structural
from tweetbot_contract.identity import (
    CLASSES,
    Class,
    compute_run_id,
    get_field_class,
    has_execution,
    hash_execution,
    hash_identity,
)
from tweetbot_contract.spec.spec import TweetBotSpec

S3 = {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}
NEW_RUN: dict[str, dict[str, Any]] = {
    "a weight": {"sources": [{"archive": {"uri": "s3://team-a/harbour_gull.zip"}, "weight": 2}]},
    "another archive": {"sources": [{"archive": {"uri": "s3://team-a/other.zip"}}]},
    "another filter": {"filter": {"minWords": 4}},
    "another base": {"model": {"base": "scratch://mini"}},
    "adapters": {"model": {"method": "LoRA"}},
    "another seed": {"training": {"seed": 7}},
    "another output": {"output": {"s3": {**S3, "uri": "s3://team-b/models"}}},
}
SAME_RUN: dict[str, dict[str, Any]] = {
    "more memory": {"resources": {"memory": "32Gi"}},
    "another Secret": {"output": {"s3": {**S3, "credentialsSecret": {"name": "s4"}}}},
    "a store without conditions": {"output": {"s3": {**S3, "conditionalWrites": "Unsupported"}}},
    "a key of a KMS": {"output": {"s3": {**S3, "kmsKeyId": "alias/gulls"}}},
    "a CA of one's own": {"caBundle": {"name": "company-ca"}},
    "another prompt": {"evaluation": {"prompts": ["I think that"]}},
    "more attempts": {"run": {"attempts": 5}},
    "a queue": {"scheduling": {"queueName": "gpus"}},
    "a prepare stage that waits, too": {"scheduling": {"queueName": "gpus", "queuePrepare": True}},
    "a place in the queue": {"scheduling": {"workloadPriorityClassName": "low"}},
    "a copy on the Hub": {"output": {"s3": S3, "huggingFace": A_HUB}},
    "a token for the base": {"model": {"tokenSecret": {"name": "hub", "key": "token"}}},
    "a node selector": {"scheduling": {"nodeSelector": {"pool": "gpu"}}},
    "a node selector of Pods without a GPU": {"scheduling": {"prepare": {"nodeSelector": {"sources": "x"}}}},
}
NOTHING: dict[str, dict[str, Any]] = {
    "suspended": {"suspend": True},
    "a schedule": {"schedule": {"cron": "0 3 * * 1"}},
    "a shorter history": {"history": {"runs": 1, "models": 1}},
    "a display name": {"subject": {"handle": "harbour_gull", "displayName": "Gull"}},
    "a default written out": {"training": {"epochs": 4}, "filter": {"recipe": "modern"}, "model": {"method": "Full"}},
}


@pytest.mark.parametrize("edit", NEW_RUN)
def test_an_edit_of_what_is_trained_starts_a_new_run(edit: str) -> None:
    assert compute_run_id(a_spec(**NEW_RUN[edit])) != compute_run_id(a_spec())


@pytest.mark.parametrize("edit", SAME_RUN)
def test_an_edit_of_how_it_is_trained_keeps_the_run(edit: str) -> None:
    assert compute_run_id(a_spec(**SAME_RUN[edit])) == compute_run_id(a_spec())
    assert hash_execution(a_spec(**SAME_RUN[edit])) != hash_execution(a_spec())


@pytest.mark.parametrize("edit", NOTHING)
def test_other_edits_change_nothing(edit: str) -> None:
    changed = a_spec(**NOTHING[edit])
    assert (compute_run_id(changed), hash_execution(changed)) == (compute_run_id(a_spec()), hash_execution(a_spec()))


@pytest.mark.parametrize(
    ("field", "spellings"),
    [
        ("memory", ("96Mi", "98304Ki", "100663296", 100663296, "0.09375Gi")),
        ("memory", ("16Gi", "16384Mi", 2**34, "17179869184", "1.7179869184e10", None)),
        ("memory", ("16G", "16000M", 16000000000, "16e9")),
        ("cpu", ("1", 1, 1.0, "1000m", "1.0")),
        ("cpu", ("500m", 0.5, "0.5", ".5", "5e-1", "500000u", "+500.0m")),
        ("cpu", ("4", 4, "4000m", None)),
    ],
)
def test_another_spelling_of_an_amount_changes_nothing(field: str, spellings: tuple[object, ...]) -> None:
    specs = [a_spec(resources={} if each is None else {field: each}) for each in spellings]
    assert len({(compute_run_id(spec), hash_execution(spec)) for spec in specs}) == 1


@pytest.mark.parametrize(
    ("memory", "cpu", "execution"),
    [
        ("32Gi", "8", "f7d356643a94e472"),
        ("96Mi", "500m", "b8240708f375b3af"),
        ("16G", "1500m", "e69a7ad46b8c6d5b"),
        ("1500M", "2", "ac9784b3b47d3b1b"),
    ],
)
def test_amounts_as_they_are_usually_written_hash_as_they_did(memory: str, cpu: str, execution: str) -> None:
    """Golden values of v0.1: if one moves, an upgrade of the operator would start Jobs again."""
    assert hash_execution(a_spec(resources={"memory": memory, "cpu": cpu})) == execution


def test_an_upgrade_restarts_no_run_whose_amounts_are_written_unusually() -> None:
    spec = a_spec(resources={"memory": "98304Ki", "cpu": "0.5"})
    recorded = "cc141257fe4265e3"  # by v0.1
    assert has_execution(spec, recorded)
    assert has_execution(spec, hash_execution(a_spec(resources={"memory": "96Mi", "cpu": "500m"})))
    assert not has_execution(a_spec(resources={"memory": "97Mi", "cpu": "0.5"}), recorded)


def test_a_source_s_secret_does_not_change_the_identity() -> None:
    def spec(secret: str) -> TweetBotSpec:
        x = {"handle": "gull", "acceptTerms": True, "tokenSecret": {"name": secret, "key": "token"}}
        return a_spec(sources=[{"x": x}])

    assert hash_identity(spec("one")) == hash_identity(spec("two"))
    assert hash_execution(spec("one")) != hash_execution(spec("two"))


def test_options_of_x_belong_to_the_identity_and_their_defaults_do_not() -> None:
    def spec(**fields: Any) -> TweetBotSpec:
        x = {"handle": "gull", "acceptTerms": True, "tokenSecret": {"name": "one", "key": "token"}}
        return a_spec(sources=[{"x": x | fields}])

    assert hash_identity(spec(excludeRetweets=False, maxSpendUSD=17)) == hash_identity(spec())
    assert hash_identity(spec(excludeRetweets=True)) != hash_identity(spec())


def test_a_retrain_is_another_run_of_the_same_identity() -> None:
    assert compute_run_id(a_spec(), "2026-11-23T00:00:00Z") != compute_run_id(a_spec())


def test_an_edited_copy_has_ids_of_its_own() -> None:
    spec = a_spec()
    before = (compute_run_id(spec), hash_execution(spec))
    copy = spec.model_copy(update={"training": a_spec(training={"seed": 7}).training})
    assert compute_run_id(copy) == compute_run_id(a_spec(training={"seed": 7})) != before[0]
    assert (compute_run_id(spec), hash_execution(spec)) == before


def test_ids_of_old_manifests_never_change() -> None:
    """Golden values of v0.1: if one moves, an upgrade of the operator would retrain a fleet."""
    assert compute_run_id(a_spec()) == "d863418d02122c47"
    assert compute_run_id(a_spec(filter={"recipe": "huggingtweets"}, training={"epochs": 2})) == "58dc257ac815eb13"
    assert compute_run_id(a_spec(), "2026-11-23T00:00:00Z") == "262b01957751e267"


@pytest.mark.parametrize(
    ("fields", "execution"),
    [
        ({"evaluation": {"prompts": ["Die Möwe"]}}, "8245afdd53fb996f"),  # JSON has two ways to write such letters
        ({"scheduling": {"affinity": {}}}, "127785d40a8f2ce6"),
        ({"scheduling": {"priorityClassName": "low", "nodeSelector": {"pool": "gpu"}}}, "98a425555d6a2f69"),
    ],
)
def test_what_could_be_written_in_two_ways_hashes_as_it_did(fields: dict[str, Any], execution: str) -> None:
    """Golden values of v0.1: if one moves, an upgrade of the operator would start Jobs again."""
    assert hash_execution(a_spec(**fields)) == execution


def leaves(schema: dict[str, Any], path: str = "") -> list[str]:
    inner = schema.get("items", schema)
    if "properties" not in inner:
        return [path]
    return [leaf for name, field in inner["properties"].items() for leaf in leaves(field, f"{path}.{name}".lstrip("."))]


def test_every_leaf_of_the_spec_is_in_exactly_one_class() -> None:
    every_leaf = leaves(make_structural(TweetBotSpec.model_json_schema(by_alias=True)))
    assert {get_field_class(leaf) for leaf in every_leaf} == set(get_args(Class))
    assert all(any(leaf == prefix or leaf.startswith(f"{prefix}.") for leaf in every_leaf) for prefix in CLASSES)
