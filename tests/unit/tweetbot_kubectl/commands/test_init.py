"""`kubectl tweetbot init`."""

from pathlib import Path

import pytest
import yaml

from tweetbot_contract.manifest import parse
from tweetbot_contract.platform_class.prices import PRICES_CONFIG_MAP, PRICES_KEY, PRICES_NAMESPACE
from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import Finished, run_plugin

FLAGS = ("--handle", "@harbour_gull", "--relation", "Self", "--to", "s3://team-a/models/")
ARCHIVE = ("--source", "archive:s3://team-a/gull.zip")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*words: str) -> Finished:
    return run_plugin(FakeApi(), "init", *words)


def answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Let somebody answer at a terminal."""
    left = iter(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: next(left))


def test_flags_alone_write_a_manifest_that_validates(folder: Path) -> None:
    done = init("gull", *FLAGS, *ARCHIVE, "--secret", "s3", "--cpu-only")
    bot = parse(yaml.safe_load((folder / "gull.yaml").read_text()))
    assert (done.code, bot.spec.subject.handle, bot.spec.output.s3.uri) == (0, "harbour_gull", "s3://team-a/models")
    assert bot.spec.resources.gpu.count == 0
    assert "kubectl apply -f gull.yaml" in done.output
    assert "kubectl create secret generic s3" in done.output


def test_it_says_what_a_run_costs_at_the_platforms_prices_or_who_sets_them() -> None:
    flags = (
        "--source",
        "x:harbour_gull",
        "--max-posts",
        "200",
        "--token-secret",
        "x/token",
        "--accept-terms",
        "--cpu-only",
    )
    api = FakeApi()
    assert "the platform team sets them as settings.prices" in run_plugin(api, "init", "gull", *FLAGS, *flags).output
    metadata = {"name": PRICES_CONFIG_MAP, "namespace": PRICES_NAMESPACE}
    api.add({"kind": "ConfigMap", "metadata": metadata, "data": {PRICES_KEY: '{"cpuHour": 0.25}'}})
    assert ", for a run." in run_plugin(api, "init", "gull", *FLAGS, *flags, "--force").output
    hour = run_plugin(api, "init", "gull", *FLAGS, *ARCHIVE, "--cpu-only", "--force").output
    assert "It costs 1.00 USD for an hour of its training." in hour


def test_nothing_is_asked_where_nobody_can_answer() -> None:
    done = init("gull", "--handle", "gull", *ARCHIVE)
    assert (done.code, "--relation is missing" in done.notes) == (2, True)


def test_the_manifest_goes_to_a_pipe_if_asked_to() -> None:
    done = init(*FLAGS, *ARCHIVE, "--file", "-")
    assert parse(yaml.safe_load(done.output)).name == "harbour-gull"


def test_a_file_is_replaced_only_if_asked_to(folder: Path) -> None:
    (folder / "gull.yaml").write_text("mine")
    assert init("gull", *FLAGS, *ARCHIVE).code == 2
    assert (folder / "gull.yaml").read_text() == "mine"
    assert init("gull", *FLAGS, *ARCHIVE, "--force").code == 0


def test_what_the_contract_refuses_is_not_written(folder: Path) -> None:
    done = init("Gull", *FLAGS, *ARCHIVE)
    assert (done.code, "lower-case letters" in done.notes) == (2, True)
    assert list(folder.iterdir()) == []


def test_a_person_is_asked_for_what_is_missing_and_again_after_a_wrong_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(
        monkeypatch,
        "harbour_gull",
        "Me",
        "Self",
        "gull.zip",
        "archive:s3://team-a/gull.zip",
        "s3://team-a/models",
        "s3",
        "",
    )
    done = init()
    assert done.code == 0
    assert parse(yaml.safe_load(Path("harbour-gull.yaml").read_text())).spec.subject.relation == "Self"
    assert "Me is not one of Self" in done.notes
    asked = capsys.readouterr()
    assert (asked.out, asked.err.count("Where are the posts?")) == ("", 2)


def test_the_x_api_is_offered_with_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "200", "x-app/bearer", "yes", "", "gull")
    done = init(*FLAGS, "--source", "x:harbour_gull")
    assert "X bills 3200 posts at $16.01" in done.notes
    x = yaml.safe_load(Path("gull.yaml").read_text())["spec"]["sources"][0]["x"]
    assert (x["maxPosts"], x["maxSpendUSD"], x["acceptTerms"]) == (200, 2, True)


def test_without_the_statement_about_xs_terms_nothing_is_written() -> None:
    done = init("gull", *FLAGS, "--source", "x:gull", "--max-posts", "200", "--token-secret", "x-app/bearer")
    assert (done.code, "acceptTerms" in done.notes) == (2, True)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", read)


@pytest.mark.usefixtures("closed")
def test_the_end_of_the_input_ends_the_questions() -> None:
    done = init("gull")
    assert (done.code, "ended" in done.notes) == (2, True)
