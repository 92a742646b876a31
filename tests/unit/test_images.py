"""The two Dockerfiles and what they are built of; tests/images tries the images themselves."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tweetbot_contract.manifest import parse

ROOT = Path(__file__).parents[2]
HALVES = ("operator", "trainer")


def instructions(half: str) -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its text on one line."""
    text = (ROOT / half / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r" *\\\n *", " ", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line]
    return [(name, rest) for name, _, rest in pairs]


def last_stage(half: str) -> list[tuple[str, str]]:
    """Return the instructions whose result is the image."""
    every = instructions(half)
    return every[max(place for place, (name, _) in enumerate(every) if name == "FROM") :]


@pytest.mark.parametrize("half", HALVES)
def test_the_base_is_a_choice_and_slim_by_default(half: str) -> None:
    first, *others = instructions(half)
    assert first == ("ARG", "BASE_IMAGE=python:3.11-slim-bookworm")
    stages = [rest.partition(" AS ")[0] for name, rest in others if name == "FROM"]
    assert set(stages) <= {"${BASE_IMAGE}", "torch"}
    assert stages[-1] == "${BASE_IMAGE}"


@pytest.mark.parametrize("half", HALVES)
def test_an_image_has_a_numeric_user_and_its_program_as_first_process(half: str) -> None:
    final = dict(last_stage(half))
    user, _, group = final["USER"].partition(":")
    assert min(int(user), int(group)) > 0
    assert json.loads(final["ENTRYPOINT"]) == [f"tweetbot-{half}"]
    assert {"HEALTHCHECK", "CMD", "EXPOSE", "VOLUME", "ADD"} & set(final) == set()


@pytest.mark.parametrize("half", HALVES)
def test_every_download_is_held_to_its_hash(half: str) -> None:
    commands = [part for name, rest in instructions(half) if name == "RUN" for part in rest.split("&&")]
    installs = [command for command in commands if " install " in command]
    assert [each for each in installs if "--require-hashes" not in each and "/wheel/" not in each] == []
    assert len(installs) == (3 if half == "operator" else 4)


@pytest.mark.parametrize("half", HALVES)
def test_what_is_copied_is_in_the_context(half: str) -> None:
    context = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    open_ = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    defaults = dict(rest.partition("=")[::2] for name, rest in instructions(half) if name == "ARG" and "=" in rest)
    copied = [rest for name, rest in instructions(half) if name == "COPY" and not rest.startswith("--from")]
    for source in (source for rest in copied for source in rest.split()[:-1]):
        path = defaults.get(source.strip("${}"), source)
        assert path.split("/")[0] in open_
        assert any(file == path or file.startswith(f"{path}/") for file in context)


def test_torch_is_a_layer_of_its_own() -> None:
    layers = [rest for name, rest in last_stage("trainer") if name == "COPY"]
    assert layers == ["--from=torch /torch /torch", "--from=build /app /app"]
    before = [rest for name, rest in instructions("trainer")]
    torch = before[before.index("${BASE_IMAGE} AS torch") : before.index("torch AS build")]
    assert [rest for rest in torch if "requirements/trainer.txt" in rest or "COPY trainer" in rest] == []


@pytest.mark.parametrize("half", HALVES)
def test_the_other_half_is_taken_out(half: str) -> None:
    (other,) = {*HALVES} - {half}
    unused = (ROOT / half / "unused.txt").read_text().splitlines()
    assert {f"tweetbot_{other}", f"../../../bin/tweetbot-{other}"} <= set(unused)


@pytest.mark.parametrize("half", HALVES)
def test_the_plugin_of_kubectl_is_in_no_image(half: str) -> None:
    unused = (ROOT / half / "unused.txt").read_text().splitlines()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    plugin = {f"../../../bin/{name}" for name, target in scripts.items() if target.startswith("tweetbot_kubectl")}
    assert plugin
    assert plugin <= set(unused)
    assert "integrations" not in {rest.split()[0] for name, rest in instructions(half) if name == "COPY"}


def test_the_training_that_tries_the_image_is_a_manifest() -> None:
    bot = parse(yaml.safe_load((ROOT / "trainer" / "smoke.yaml").read_text()))
    assert (bot.spec.model.base, bot.spec.resources.gpu.count) == ("scratch://mini", 0)


def test_the_script_says_in_one_line_what_it_lacks(tmp_path: Path) -> None:
    """With neither docker nor buildah, and no right to install them."""
    for name, body in {"id": "echo 1000", "docker": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "sed"):
        (tmp_path / name).symlink_to(Path("/usr/bin") / name)
    script = ["/usr/bin/env", f"PATH={tmp_path}", "bash", str(ROOT / "images" / "build.sh")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    wanted = "make images needs docker, or as root: apt-get install buildah mmdebstrap\n"
    assert (done.returncode, done.stderr) == (1, wanted)
