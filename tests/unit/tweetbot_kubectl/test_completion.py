"""What may come next on a command line, for kubectl's completion."""

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_stored_bot
from tweetbot_kubectl import completion
from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.output.output import Output


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A cluster that completion asks in place of that of a kubeconfig."""
    api = FakeApi(a_stored_bot("gull"), a_stored_bot("heron"), a_stored_bot("owl", namespace="team-b"))

    def build_session(arguments: object, output: Output) -> Session:
        return Session(output, lambda: (Cluster(api), "team-a"), getattr(arguments, "namespace", None))

    monkeypatch.setattr(completion, "build_session", build_session)
    return api


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("lis", ["list"]),
        ("status ", ["gull", "heron"]),
        ("status g", ["gull"]),
        ("status -n team-b ", ["owl"]),
        ("-n team-b status ", ["owl"]),
        ("status gull ", []),
        ("logs gull --st", ["--stage"]),
        ("logs gull --stage ", ["prepare", "train"]),
        ("list -o ", ["json", "wide"]),
        ("list -n ", []),
        ("completion ", ["bash", "fish", "zsh"]),
    ],
)
def test_what_may_come_next(api: FakeApi, line: str, candidates: list[str]) -> None:
    assert completion.find_candidates(line.split(" ")) == candidates


def test_a_cluster_that_is_away_completes_nothing(api: FakeApi) -> None:
    api.away = True
    assert completion.find_candidates(["status", ""]) == []


def test_kubectl_is_told_to_offer_no_files(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert completion.print_candidates(["status", "g"]) == 0
    assert capsys.readouterr().out == "gull\n:4\n"
