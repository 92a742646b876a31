"""What may come next on a command line, for kubectl's completion."""

import subprocess
from pathlib import Path

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_stored_bot
from tweetbot_kubectl import completion
from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.commands.reading.completion import SCRIPTS
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


def test_bash_asks_the_program(tmp_path: Path) -> None:
    program = tmp_path / "kubectl-tweetbot"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" owl :4\n')
    program.chmod(0o755)
    line = 'COMP_WORDS=(kubectl-tweetbot status g); COMP_CWORD=2; _kubectl_tweetbot; echo "${COMPREPLY[@]}"'
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    script = f"{SCRIPTS['bash']}{line}"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "__complete status g owl\n"


def test_a_cluster_that_is_away_completes_nothing(api: FakeApi) -> None:
    api.away = True
    assert completion.find_candidates(["status", ""]) == []


def test_kubectl_is_told_to_offer_no_files(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert completion.print_candidates(["status", "g"]) == 0
    assert capsys.readouterr().out == "gull\n:4\n"
