"""One number, in pyproject.toml: programs, chart, metrics, card and docs have it from there."""

import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tweetbot_kubectl.parser import parse_arguments
from tweetbot_operator.__main__ import main as run_operator
from tweetbot_operator.telemetry.metrics import BUILD_INFO
from tweetbot_trainer.cli.parser import parse_args
from tweetbot_trainer.runtime.versions import describe_program

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]


def test_the_programs_say_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tweetbot-operator", "--version"])
    assert run_operator() == 0
    for parse in (parse_args, parse_arguments):
        with pytest.raises(SystemExit, match=r"^0$"):
            parse(["--version"])
    assert capsys.readouterr().out.split() == [VERSION] * 3


def test_metrics_and_card_say_it() -> None:
    ((sample,),) = [metric.samples for metric in BUILD_INFO.collect()]
    assert sample.labels["version"] == VERSION
    assert describe_program() == f"TweetBot operator {VERSION}"


def test_chart_and_plain_manifests_are_labelled_with_it() -> None:
    chart = yaml.safe_load((ROOT / "charts/tweetbot-operator/Chart.yaml").read_text())
    assert (chart["version"], str(chart["appVersion"])) == (VERSION, VERSION)
    plain = yaml.safe_load_all((ROOT / "kustomize/base/operator.yaml").read_text())
    labels = [each["metadata"].get("labels", {}) for each in plain if each]
    assert {each["app.kubernetes.io/version"] for each in labels if "app.kubernetes.io/version" in each} == {VERSION}
