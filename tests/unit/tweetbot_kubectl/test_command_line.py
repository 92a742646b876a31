"""The command line as a whole: flags, exit codes, and what it loads."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import run_plugin
from tweetbot_kubectl.__main__ import run_command
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import ExitCode, UsageError
from tweetbot_kubectl.output.output import Output
from tweetbot_kubectl.output.times import parse_span
from tweetbot_kubectl.parser import COMMANDS, parse_arguments
from tweetbot_kubectl.session import build_session

ROOT = Path(__file__).parents[3]
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: home
contexts:
- {name: home, context: {cluster: here, user: me, namespace: team-a}}
- {name: plain, context: {cluster: here, user: me}}
clusters:
- {name: here, cluster: {server: "http://127.0.0.1:9"}}
users:
- {name: me, user: {token: secret}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    file = tmp_path / "config"
    file.write_text(KUBECONFIG)
    return str(file)


def open_session(*words: str) -> Session:
    return build_session(parse_arguments([*words, "list"]), Output())


def test_the_namespace_is_that_of_the_context(kubeconfig: str) -> None:
    assert open_session("--kubeconfig", kubeconfig).namespace == "team-a"
    assert open_session("--kubeconfig", kubeconfig, "--context", "plain").namespace == "default"
    assert open_session("--kubeconfig", kubeconfig, "-n", "team-b").namespace == "team-b"


def test_an_unknown_context_is_told_with_those_that_there_are(kubeconfig: str) -> None:
    with pytest.raises(UsageError, match="it has home, plain"):
        _ = open_session("--kubeconfig", kubeconfig, "--context", "away").cluster


@pytest.mark.parametrize("content", ["{", "[]", "a word", "current-context: x\ncontexts: []"])
def test_a_damaged_kubeconfig_is_told_in_one_sentence(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").write_text(content)
    arguments = parse_arguments(["list", "--kubeconfig", str(tmp_path / "config")])
    assert run_command(arguments, build_session(arguments, Output())) == ExitCode.UNREACHABLE
    assert capsys.readouterr().err.startswith("kubectl tweetbot: No kubeconfig can be used: ")


def test_without_a_kubeconfig_the_exit_code_is_that_of_no_cluster(tmp_path: Path) -> None:
    arguments = parse_arguments(["list", "--kubeconfig", str(tmp_path / "none")])
    assert run_command(arguments, build_session(arguments, Output())) == ExitCode.UNREACHABLE


def test_a_server_that_does_not_listen_is_unreachable(kubeconfig: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = parse_arguments(["list", "--kubeconfig", kubeconfig])
    assert run_command(arguments, build_session(arguments, Output())) == ExitCode.UNREACHABLE
    assert "http://127.0.0.1:9 does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["nonsense"], [], ["list", "-o", "yaml"], ["list", "--request-timeout", "soon"]])
def test_a_wrong_command_line_ends_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_plugin(FakeApi(), *words)
    assert ended.value.code == ExitCode.USAGE
    assert capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("0", None), ("5", 5), ("5s", 5), ("1m30s", 90), ("500ms", 0.5)])
def test_spans_are_those_of_kubectl(text: str, seconds: float | None) -> None:
    assert parse_span(text) == seconds


def test_the_page_names_every_command_and_exit_code() -> None:
    page = (ROOT / "docs" / "kubectl.md").read_text(encoding="utf-8")
    assert [command.name for command in COMMANDS if f"kubectl tweetbot {command.name}" not in page] == []
    assert [code for code in ExitCode if f"| {code.value} |" not in page] == []


def test_krew_installs_it_under_its_name() -> None:
    manifest = yaml.safe_load((ROOT / "integrations" / "kubectl" / "krew.yaml").read_text(encoding="utf-8"))
    assert manifest["metadata"]["name"] == "tweetbot"
    assert {platform["bin"] for platform in manifest["spec"]["platforms"]} == {"kubectl-tweetbot"}


def test_it_loads_neither_torch_nor_an_operator_framework() -> None:
    modules = ["tweetbot_kubectl.__main__", "tweetbot_kubectl.store.bot_store", "tweetbot_trainer.cli.versions"]
    heavy = {"torch", "transformers", "numpy", "kopf", "tweetbot_operator", "wandb", "matplotlib"}
    script = f"import sys, {', '.join(modules)}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
