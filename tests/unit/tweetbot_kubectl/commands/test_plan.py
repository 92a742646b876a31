"""`kubectl tweetbot plan`: from the spec and earlier runs alone."""

import json
from pathlib import Path
from typing import Any

import yaml

from builders.manifests import a_manifest
from tweetbot_contract.handover import DEFAULT_CLASS_ANNOTATION
from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import parse
from tweetbot_contract.platform_class.prices import PRICES_CONFIG_MAP, PRICES_KEY, PRICES_NAMESPACE
from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_training_status, run_plugin, say_time
from tweetbot_kubectl.commands.reading.platform import NO_PRICES

X = [{"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "maxPosts": 1000, "acceptTerms": True}}]
METRICS = {
    "evalLoss": 3,
    "bitsPerByte": 1,
    "perplexity": 20,
    "trainLoss": 3,
    "tokensPerSecond": 100,
    "trainSeconds": 60,
}
RECORD = {
    "id": "1" * 16, "number": 1, "outcome": "Succeeded", "reason": "Succeeded", "attempts": 2,
    "startedAt": say_time(1200), "finishedAt": say_time(600),
}  # fmt: skip


def a_table(prices: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": PRICES_CONFIG_MAP, "namespace": PRICES_NAMESPACE}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {PRICES_KEY: json.dumps(prices)}}


def a_trained_bot() -> FakeApi:
    gull = a_stored_bot(sources=X)
    model = a_model() | {"identity": hash_identity(parse(gull, stored=True).spec)}
    data = {"digest": "d" * 64, "downloaded": 800, "kept": 800, "billed": {"x": 400}}
    status = a_training_status(model=model, metrics=METRICS, data=data, runs=[RECORD])
    return FakeApi(gull | {"status": status})


def test_a_trained_bot_is_planned_from_its_own_speed_and_bill() -> None:
    done = run_plugin(a_trained_bot(), "plan", "gull")
    assert done.code == 0
    assert done.output.splitlines() == [
        "name      gull",
        "posts     800 kept by the last run",
        "X         sources[0]: at most $5.01, $2.01 if as many as last time; the run stops at $17. It cannot be read "
        "without paying.",
        "steps     38 to 76",
        "tokens    38,400 to 76,800",
        "minutes   0.7 to 12.0, by what the same training took before; waits are not counted",
        "memory    16Gi; 4Gi is room enough, 2Gi the least",
        "adopts    227ba5f2c6c9109f, without training, if the posts are the same as before",
        "earlier   10 minutes, waits included; runs that adopted a model are short",
        NO_PRICES,
    ]


def test_money_is_a_span_by_the_platforms_prices() -> None:
    api = a_trained_bot()
    prices = {"currency": "EUR", "gpuHour": {"nvidia.com/gpu": 2.0}, "cpuHour": 0.25, "xPost": 0.01}
    api.add(a_table(prices))
    done = run_plugin(api, "plan", "gull")
    assert "money     0.04 to 10.60 EUR\n" in done.output
    assert NO_PRICES not in done.output


def test_a_table_without_the_accelerator_says_so() -> None:
    api = a_trained_bot()
    api.add(a_table({"cpuHour": 0.25}))
    done = run_plugin(api, "plan", "gull")
    assert "The platform's prices have none for nvidia.com/gpu, so no money is told." in done.output
    assert "money" not in done.output.splitlines()[6]


def test_gates_that_cannot_be_met_and_too_little_memory_are_told() -> None:
    spec: dict[str, Any] = {
        "evaluation": {"gates": {"minStyle": 50, "minImprovementPercent": 5}},
        "resources": {"memory": "1Gi"},
    }
    data = {"digest": "d" * 64, "downloaded": 90, "kept": 90}
    gull = a_stored_bot(**spec) | {"status": a_training_status(data=data)}
    fails = [line for line in run_plugin(FakeApi(gull), "plan", "gull").output.splitlines() if line.startswith("fails")]
    assert fails == [
        "fails     resources.memory is 1Gi, and the training needs at least 2Gi",
        "fails     minImprovementPercent cannot be met: 9 test posts are too few for an interval",
        "fails     minStyle cannot be met: 18 posts held out are too few to measure style by",
    ]


def test_a_manifest_is_planned_with_what_its_class_gives(tmp_path: Path) -> None:
    manifest = a_manifest(sources=X)
    del manifest["spec"]["output"]
    file = tmp_path / "bot.yaml"
    file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    api = FakeApi()
    assert "output.s3.uri" in run_plugin(api, "plan", "-f", str(file)).notes
    api.add(
        {
            "kind": "TweetBotClass",
            "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS_ANNOTATION: "true"}},
            "spec": {"defaults": {"output": {"s3": {"uri": "s3://given"}}, "resources": {"memory": "1Gi"}}},
        }
    )
    done = run_plugin(api, "plan", "-f", str(file))
    assert "resources.memory is 1Gi" in done.output
    assert "It would get TweetBotClass standard, the default, as it is now." in done.output
    api.forbid("list", "tweetbotclasses")
    assert "The TweetBotClass that it would get is not known" in run_plugin(api, "plan", "-f", str(file)).notes


def test_a_bot_that_never_ran_is_planned_from_its_base() -> None:
    document = json.loads(run_plugin(FakeApi(a_stored_bot(sources=X)), "plan", "gull", "-o", "json").output)
    assert (document["keptPosts"], document["measured"], document["xBills"][0]["expectedUsd"]) == (None, False, None)
    assert document["training"]["minutes"]["least"] < document["training"]["minutes"]["most"]


def test_without_a_run_an_archive_says_who_reads_it() -> None:
    assert (
        "`tweetbot-trainer plan --manifest FILE` reads them"
        in run_plugin(FakeApi(a_stored_bot()), "plan", "gull").output
    )


def test_a_manifest_is_planned_before_it_is_applied(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(yaml.safe_dump(a_manifest(sources=X)), encoding="utf-8")
    done = run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "bot.yaml"))
    assert (done.code, "at most $5.01" in done.output) == (0, True)


def test_what_is_no_manifest_and_a_missing_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text("a: [", encoding="utf-8")
    assert run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "bot.yaml")).code == 2
    assert run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "none.yaml")).code == 3
    assert run_plugin(FakeApi(), "plan").code == 2
