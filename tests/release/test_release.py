"""Two releases of HEAD from two clones, with images of a few bytes: the same bytes, and what they hold installs."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from builders.release.oci_archive import write_archive
from tweetbot_cluster.binaries import HELM, find_or_build, to_stderr

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(each) for each in command], env=env, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def release(clone: Path, images: Path) -> Path:
    """Make a release from a clean clone, with the programs of this checkout's environments."""
    run("git", "clone", "--quiet", ROOT, clone)
    folders = ("release", "charts", "crds", "tests/cluster")
    env = {**os.environ, "PYTHONPATH": ":".join(str(clone / folder) for folder in folders)}
    cyclonedx = ROOT / ".venv-release" / "bin" / "cyclonedx-py"
    command = (sys.executable, "-m", "tweetbot_release", "--version", VERSION)
    run(*command, "--images", images, "--cyclonedx", cyclonedx, env=env, cwd=clone)
    return clone / "dist"


@pytest.fixture(scope="module")
def digests(images: Path) -> list[str]:
    commit = run("git", "rev-parse", "HEAD").strip()
    names = ("tweetbot-operator", "tweetbot-trainer")
    return [list(write_archive(images / f"{name}-{VERSION}.oci.tar", VERSION, commit))[-1] for name in names]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory, images: Path, digests: list[str]) -> Path:
    return release(tmp_path_factory.mktemp("one") / "clone", images)


def test_two_clones_of_a_commit_give_the_same_release(dist: Path, images: Path, tmp_path: Path) -> None:
    other = release(tmp_path / "elsewhere" / "clone", images)
    assert (other / "SHA256SUMS").read_text().splitlines() == (dist / "SHA256SUMS").read_text().splitlines()
    run("sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS", cwd=other)


def test_the_wheel_installs_by_hashes_alone(dist: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    pip = (tmp_path / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "--find-links", ".", "--requirement", "requirements-cli.txt", cwd=dist)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert run(tmp_path / "venv" / "bin" / "kubectl-tweetbot", "--version", env=clean, cwd=tmp_path).strip() == VERSION


def test_the_chart_and_the_plain_manifests_run_the_images_of_the_release(dist: Path, digests: list[str]) -> None:
    helm = find_or_build(os.environ, to_stderr, (HELM,))["helm"]
    rendered = run(helm, "template", "tweetbot-operator", dist / f"tweetbot-operator-{VERSION}.tgz")
    for text in (rendered, (dist / f"install-{VERSION}.yaml").read_text()):
        (deployment,) = (each for each in yaml.safe_load_all(text) if each and each["kind"] == "Deployment")
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        (trainer,) = (each["value"] for each in container["env"] if each["name"] == "TWEETBOT_TRAINER_IMAGE")
        assert [container["image"], trainer] == [
            f"tweetbot-{half}@{digest}" for half, digest in zip(("operator", "trainer"), digests, strict=True)
        ]
        assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == VERSION
