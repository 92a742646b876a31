"""What a manifest may contain, and how an invalid one is rejected."""

from typing import Any

import pytest

from builders.manifests import A_HUB, NO_COPY, NO_CPU, NO_MEMORY, PLAUSIBLE, a_manifest, a_spec
from tweetbot_contract.class_manifest import read_class_spec
from tweetbot_contract.manifest import InvalidManifest, parse, read_spec
from tweetbot_contract.platform_class.resolve import apply_defaults
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_contract.spec.spec import TweetBotSpec

A_SECRET_KEY = {"name": "x", "key": "token"}
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a handle with @": ({"subject": {"handle": "@gull"}}, "spec.subject.handle: write the handle without @"),
    "no source": ({"sources": []}, "spec.sources: "),
    "a pin to a model's name": ({"pin": "team-a-gull-9108a32a5b6d4c1f"}, "spec.pin: write the version as"),
    "a pin to the start of a version": ({"pin": "9108a32a"}, "spec.pin: write the version as"),
    "two kinds in one source": (
        {"sources": [{"archive": {"uri": "s3://abc/a.zip"}, "posts": {"uri": "s3://abc/p"}}]},
        "spec.sources.0: give each source exactly one of",
    ),
    "an archive outside S3": ({"sources": [{"archive": {"uri": "http://a/b"}}]}, "spec.sources.0.archive.uri: "),
    "X without its terms": (
        {"sources": [{"x": {"handle": "gull", "tokenSecret": A_SECRET_KEY}}]},
        "spec.sources.0.x.acceptTerms: read X's developer agreement",
    ),
    "a Bluesky source of two origins": (
        {"sources": [{"bluesky": {"actor": "gull.example.com", "car": "s3://abc/gull.car"}}]},
        "spec.sources.0.bluesky: give exactly one of actor",
    ),
    "a Bluesky handle with @": (
        {"sources": [{"bluesky": {"actor": "@gull.example.com"}}]},
        "spec.sources.0.bluesky.actor: write the account without @",
    ),
    "a Bluesky name that is no handle": ({"sources": [{"bluesky": {"actor": "gull"}}]}, "spec.sources.0.bluesky.actor"),
    "a repository outside S3": ({"sources": [{"bluesky": {"car": "gull.car"}}]}, "spec.sources.0.bluesky.car: write"),
    "a server for a repository": (
        {"sources": [{"bluesky": {"car": "s3://abc/gull.car", "apiBaseURL": "http://localhost"}}]},
        "spec.sources.0.bluesky.apiBaseURL: ",
    ),
    "a KMS key of two words": (
        {"output": {"s3": {"uri": "s3://abc", "kmsKeyId": "alias/the gulls"}}},
        "spec.output.s3.kmsKeyId: write the key's id, its ARN, or alias/name",
    ),
    "conditions of a third kind": (
        {"output": {"s3": {"uri": "s3://abc", "conditionalWrites": "Sometimes"}}},
        "spec.output.s3.conditionalWrites: ",
    ),
    "an archive beside its bucket": (
        {"sources": [{"archive": {"uri": "s3://abc/../a.zip"}}]},
        "spec.sources.0.archive.uri: write the object's address as s3://bucket/key, without . and .. segments",
    ),
    "posts in the step that stays": ({"sources": [{"posts": {"uri": "s3://abc/./p"}}]}, "spec.sources.0.posts.uri: "),
    "a repository beside its bucket": (
        {"sources": [{"bluesky": {"car": "s3://abc/a/../gull.car"}}]},
        "spec.sources.0.bluesky.car: write the object's address as s3://bucket/key, without",
    ),
    "a Mastodon export beside its bucket": (
        {"sources": [{"mastodon": {"uri": "s3://abc/../m.zip"}}]},
        "spec.sources.0.mastodon.uri: write the object's address",
    ),
    "a weight on one source alone": (
        {"sources": [{"posts": {"uri": "s3://abc/a"}, "weight": 2}, {"posts": {"uri": "s3://abc/b"}}]},
        "spec.sources: give every source a weight, or give none",
    ),
    "a weight beyond all measure": (
        {"sources": [{"posts": {"uri": "s3://abc/a"}, "weight": 101}]},
        "spec.sources.0.weight: ",
    ),
    "an output with a slash at its end": ({"output": {"s3": {"uri": "s3://abc/m/"}}}, "spec.output.s3.uri: "),
    "an output beside its bucket": (
        {"output": {"s3": {"uri": "s3://abc/.."}}},
        "spec.output.s3.uri: write s3://bucket or s3://bucket/prefix, without . and .. segments or",
    ),
    "the original's recipe with an option": (
        {"filter": {"recipe": "huggingtweets", "minWords": 2}},
        "spec.filter.recipe: recipe huggingtweets is the original's exact procedure",
    ),
    "a base with a newline behind it": ({"model": {"base": "scratch://mini\n"}}, "spec.model.base: write the base as"),
    "an unknown kind of base": ({"model": {"base": "gpt2"}}, "spec.model.base: write the base as"),
    "a base beside its claim": (
        {"model": {"base": "pvc://models/gpt2/.."}},
        "spec.model.base: write the base without . and .. segments",
    ),
    "a base beside its bucket": ({"model": {"base": "s3://abc/../gpt2"}}, "spec.model.base: write the base without"),
    "adapters on random weights": (
        {"model": {"base": "scratch://mini", "method": "LoRA"}},
        "spec.model.method: a scratch:// base has learned nothing that an adapter could build on",
    ),
    "adapters by the original's recipe": (
        {"model": {"method": "LoRA"}, "training": {"recipe": "huggingtweets"}},
        "spec.model.method: recipe huggingtweets is the original's exact procedure and trains every weight",
    ),
    "the size of an adapter without one": (
        {"model": {"lora": {"rank": 8}}},
        "spec.model.lora: lora is the size of an adapter: add method: LoRA",
    ),
    "a revision without a hub": ({"model": {"base": "scratch://mini", "revision": "main"}}, "spec.model.revision: "),
    "a learning rate in words": ({"training": {"learningRate": "fast"}}, "spec.training.learningRate: write"),
    "no learning rate at all": (
        {"training": {"learningRate": "0e5"}},
        'spec.training.learningRate: write learningRate as a quoted number above 0 and at most 1, such as "3e-4"',
    ),
    "a learning rate above 1": ({"training": {"learningRate": "1.01"}}, "spec.training.learningRate: write"),
    "a learning rate beyond all numbers": ({"training": {"learningRate": "1e999"}}, "spec.training.learningRate: "),
    "the original's training with a rate": (
        {"training": {"recipe": "huggingtweets", "learningRate": "5e-5"}},
        "spec.training.recipe: recipe huggingtweets is the original's exact procedure: remove learningRate",
    ),
    "the original's training with a batch": (
        {"training": {"recipe": "huggingtweets", "batchTokens": 1024}},
        "spec.training.recipe: recipe huggingtweets is",
    ),
    "the original's training with other passes": (
        {"training": {"recipe": "huggingtweets", "epochs": 3}},
        "spec.training.recipe: recipe huggingtweets is",
    ),
    "the original's training in half the bits": (
        {"training": {"recipe": "huggingtweets", "precision": "BF16"}},
        "spec.training.recipe: recipe huggingtweets is",
    ),
    "the original's training with weights": (
        {
            "sources": [{"posts": {"uri": "s3://abc/a"}, "weight": 2}, {"posts": {"uri": "s3://abc/b"}, "weight": 1}],
            "training": {"recipe": "huggingtweets"},
        },
        "spec.training.recipe: recipe huggingtweets repeats the posts of smaller sources",
    ),
    **{
        f"memory of {memory!r}": (
            {"resources": {"memory": memory}},
            "spec.resources.memory: write memory with its unit",
        )
        for memory in NO_MEMORY
    },
    **{f"cpu of {cpu!r}": ({"resources": {"cpu": cpu}}, "spec.resources.cpu: write cpu in cores") for cpu in NO_CPU},
    "memory as an accelerator": (
        {"resources": {"gpu": {"resource": "memory"}}},
        "spec.resources.gpu.resource: write the extended resource with its domain, such as nvidia.com/gpu",
    ),
    "an accelerator without its domain": ({"resources": {"gpu": {"resource": "gpu"}}}, "spec.resources.gpu.resource: "),
    "an accelerator of Kubernetes' own": (
        {"resources": {"gpu": {"resource": "kubernetes.io/gpu"}}},
        "spec.resources.gpu.resource: ",
    ),
    "a toleration of a value that exists": (
        {"scheduling": {"tolerations": [{"key": "gpu", "operator": "Exists", "value": "yes"}]}},
        "spec.scheduling.tolerations.0.value: operator Exists takes no value: remove it",
    ),
    "a label's key with a space": (
        {"scheduling": {"nodeSelector": {"the gpu": "a100"}}},
        "spec.scheduling.nodeSelector: write each key of nodeSelector as a label key",
    ),
    "a label's value with a space": (
        {"scheduling": {"nodeSelector": {"example.com/gpu": "an a100"}}},
        "spec.scheduling.nodeSelector: write each value of nodeSelector as a label value",
    ),
    "a label of the prepare stage with a space": (
        {"scheduling": {"prepare": {"nodeSelector": {"the pool": "cpu"}}}},
        "spec.scheduling.prepare.nodeSelector: write each key of nodeSelector as a label key",
    ),
    "a model that may be twice as bad and worse": (
        {"evaluation": {"gates": {"maxRegressionPercent": 101}}},
        "spec.evaluation.gates.maxRegressionPercent: ",
    ),
    "a schedule of four fields": ({"schedule": {"cron": "3 * * 1"}}, "spec.schedule.cron: write five fields"),
    "a schedule by a nickname": ({"schedule": {"cron": "@weekly"}}, "spec.schedule.cron: write five fields"),
    "a minute that no hour has": ({"schedule": {"cron": "60 3 * * 1"}}, "spec.schedule.cron: write cron's minute as 0"),
    "an hour that no day has": ({"schedule": {"cron": "0 9,24 * * *"}}, "spec.schedule.cron: write cron's hour as 0"),
    "a day that no month has": ({"schedule": {"cron": "0 3 1-32 * *"}}, "spec.schedule.cron: write cron's day of mon"),
    "a month that no year has": ({"schedule": {"cron": "0 3 1 MAYO *"}}, "spec.schedule.cron: write cron's month as"),
    "a day that no week has": ({"schedule": {"cron": "0 3 * * 8"}}, "spec.schedule.cron: write cron's day of week as"),
    "every no minutes": ({"schedule": {"cron": "*/0 * * * *"}}, "spec.schedule.cron: write cron's minute as 0 to 59"),
    "a time zone from a file": (
        {"schedule": {"cron": "0 3 * * 1", "timeZone": "../../etc/passwd"}},
        "spec.schedule.timeZone: write a time zone name such as",
    ),
    "Online without a key": ({"tracking": {"wandb": {"mode": "Online"}}}, "spec.tracking.wandb.mode: mode Online"),
    "a report of a run that is not tracked": (
        {"tracking": {"wandb": {"mode": "Disabled", "report": True}}},
        "spec.tracking.wandb.report: a report is made at W&B",
    ),
    **{case: (spec, f"{field}: ") for case, (spec, field) in NO_COPY.items()},
    "a copy without a token": (
        {"output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {"repo": A_HUB["repo"]}}},
        "spec.output.huggingFace.tokenSecret: the Hub takes a model with a token only",
    ),
    "an unknown field": ({"autopilot": True}, "spec.autopilot: "),
    "an unknown field further down": ({"model": {"size": "large"}}, "spec.model.size: "),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_manifest_that_breaks_a_rule_is_rejected_with_the_path(case: str) -> None:
    spec, words = BROKEN[case]
    with pytest.raises(InvalidManifest) as refusal:
        parse(a_manifest(**spec))
    assert str(refusal.value).startswith(words)


def test_what_may_not_be_public_says_what_to_write() -> None:
    spec, _ = NO_COPY["a public model of somebody"]
    with pytest.raises(InvalidManifest) as refusal:
        parse(a_manifest(**spec))
    for word in ("Consented with subject.consentRef", "Self, Fictional or Parody", "visibility: Private"):
        assert word in str(refusal.value)


def a_spec_of_a_class(written: dict[str, Any], given: dict[str, Any]) -> TweetBotSpec:
    manifest = a_manifest(output={"s3": {"uri": "s3://abc/m"}, **written})
    return read_spec(apply_defaults(manifest["spec"], given, namespace="team-a", name="gull"))


def test_a_class_gives_its_token_to_those_who_name_a_repository() -> None:
    given = {"output": {"huggingFace": {"tokenSecret": A_HUB["tokenSecret"]}}}
    assert a_spec_of_a_class({}, given).output.hugging_face is None
    hub = a_spec_of_a_class({"huggingFace": {"repo": "harbour/gull"}}, given).output.hugging_face
    assert hub
    assert hub.to_dict() == {**A_HUB, "visibility": "Private"}
    own = {"name": "own", "key": "t"}
    hub = a_spec_of_a_class({"huggingFace": {"repo": "harbour/gull", "tokenSecret": own}}, given).output.hugging_face
    assert hub
    assert hub.token_secret
    assert hub.token_secret.to_dict() == own


def test_a_class_gives_every_tweetbot_a_repository() -> None:
    given = {"output": {"huggingFace": {**A_HUB, "repo": "harbour/{namespace}-{name}"}}}
    hub = a_spec_of_a_class({}, given).output.hugging_face
    assert hub
    assert hub.repo == "harbour/team-a-gull"


@pytest.mark.parametrize("hub", [{"tokenSecret": A_HUB["tokenSecret"]}, {**A_HUB, "visibility": "Public"}])
def test_a_class_may_speak_of_the_hub(hub: dict[str, Any]) -> None:
    assert read_class_spec({"defaults": {"output": {"huggingFace": hub}}}).defaults


@pytest.mark.parametrize("case", PLAUSIBLE)
def test_an_unusual_but_valid_spec_is_accepted(case: str) -> None:
    assert a_spec(**PLAUSIBLE[case])


def test_local_files_may_be_anywhere() -> None:
    assert a_spec(sources=[{"posts": {"uri": "file:///home/../srv/posts.jsonl"}}])


def test_a_name_too_long_for_its_jobs_is_rejected() -> None:
    manifest = a_manifest()
    manifest["metadata"]["name"] = "g" * 47
    with pytest.raises(InvalidManifest, match=r"metadata\.name"):
        parse(manifest)


def test_another_kind_is_rejected() -> None:
    with pytest.raises(InvalidManifest, match="kind: write TweetBot"):
        parse({**a_manifest(), "kind": "Job"})


def test_ten_lines_are_enough() -> None:
    spec = a_spec()
    assert (spec.model.base, spec.training.epochs, spec.resources.gpu.count) == ("hf://gpt2", 4, 1)


def test_a_source_knows_its_kind() -> None:
    assert a_spec().sources[0].kind == a_spec().sources[0].archive


@pytest.mark.parametrize(
    ("bluesky", "uri"),
    [
        ({"actor": "gull.example.com"}, "at://gull.example.com"),
        ({"actor": "did:plc:z72i7hdynmk6r22z27h6tvur"}, "at://did:plc:z72i7hdynmk6r22z27h6tvur"),
        ({"car": "s3://team-a/gull.car"}, "s3://team-a/gull.car"),
    ],
)
def test_a_bluesky_source_has_an_address(bluesky: dict[str, str], uri: str) -> None:
    kind = a_spec(sources=[{"bluesky": bluesky}]).sources[0].kind
    assert isinstance(kind, BlueskySource)
    assert kind.uri == uri


def test_a_status_that_we_did_not_write_counts_as_empty() -> None:
    bot = parse({**a_manifest(), "status": {"observedGeneration": "often", "conditions": 3}})
    assert bot.status.observed_generation == -1
