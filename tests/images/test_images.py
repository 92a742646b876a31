"""What `make images` built: small, bare, and at work as any user on a read-only root without a network."""

import base64
import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL.Image import Image as Picture

from harness.image_sandbox import Image, mounted
from harness.operator_process import until
from harness.pictures import count_yellow, find_ink, has_look_alikes, opened, split_into_cells
from tweetbot_trainer.publishing.report.drawing.text_drawing import TEAL

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
HALVES = ("operator", "trainer")
MEGABYTE = 1000**2
#: Megabytes above the base, of the trainer's those beside torch with its libraries; its fonts have 25 of them.
LARGEST = {"operator": 120, "trainer": 305}
ABSENT = {
    "operator": ("torch", "transformers", "numpy", "wandb", "boto3", "tweepy", "tweetbot_trainer"),
    "trainer": ("kopf", "kubernetes", "transformers", "tweetbot_operator"),
}
ASK = """
import importlib.util, sys
print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])
"""
#: Runs a command in the process, then tells which modules had no bytecode to start from, or bytecode of another source.
SMOKE = """
import importlib.util, os, sys
from tweetbot_trainer.__main__ import run_command

def compiled(source):
    try:
        with open(importlib.util.cache_from_source(source), "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return int.from_bytes(head[8:12], "little") == int(os.stat(source).st_mtime)

code = run_command(["run", "--manifest", "/tmp/smoke.yaml", "--work", "/tmp/smoke/work"])
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
sources = [file for file in files if file.startswith("/") and file.endswith(".py")]  # torch makes modules without any
print("sources:", len(sources), "compiled again:", [file for file in sources if not compiled(file)])
sys.exit(code)
"""
#: Makes a bot of the manifest and prints its picture.
PICTURE = """
import base64, os, pathlib, sys
from tweetbot_trainer.__main__ import run_command
code = run_command(["run", "--manifest", "/tmp/bot.yaml", "--work", "/tmp/work"])
picture, = pathlib.Path("/tmp/models").rglob("predictions.png")
os.write(1, b"\\npicture: " + base64.b64encode(picture.read_bytes()) + b"\\n")  # at once: others write there, too
sys.exit(code)
"""
SMOKE_FILES = {"/tmp/smoke.yaml": ROOT / "trainer" / "smoke.yaml", "/tmp/posts.txt": ROOT / "README.md"}
UNREACHABLE = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "none"}}],
}


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, Image]]:
    missing = [program for program in ("buildah", "runc") if not shutil.which(program)]
    assert not missing, f"these tests need, as root: apt-get install {' '.join(missing)}"
    with mounted(f"tweetbot-operator:{VERSION}") as operator, mounted(f"tweetbot-trainer:{VERSION}") as trainer:
        yield {"operator": operator, "trainer": trainer}


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


@pytest.mark.parametrize("half", HALVES)
def test_an_image_is_small(images: dict[str, Image], half: str) -> None:
    assert size(images[half].root / "app") <= LARGEST[half] * MEGABYTE


@pytest.mark.parametrize("half", HALVES)
def test_nothing_else_was_added_to_the_base(images: dict[str, Image], half: str) -> None:
    with mounted("localhost/tweetbot-base:bookworm") as base:
        added = {path.name for path in images[half].root.iterdir()} - {path.name for path in base.root.iterdir()}
        assert added == ({"app"} if half == "operator" else {"app", "torch"})
        assert images[half].layers - base.layers == (2 if half == "operator" else 3)


@pytest.mark.parametrize("half", HALVES)
def test_an_image_holds_neither_the_other_half_nor_what_installs_or_compiles(
    images: dict[str, Image], half: str, tmp_path: Path
) -> None:
    absent = (*ABSENT[half], "pip", "ensurepip")
    assert images[half].run(tmp_path / "ask", "--", "python", "-c", ASK, *absent) == (0, "[]\n")
    folders = [images[half].root / folder for folder in ("app/bin", "usr/bin", "usr/local/bin")]
    names = {path.name for folder in folders if folder.is_dir() for path in folder.iterdir()}
    assert {name for name in names if name in ("gcc", "cc", "c++", "make") or name.startswith("pip")} == set()
    assert list((images[half].root / "usr/share").rglob("*.whl")) == []


@pytest.mark.parametrize("half", HALVES)
def test_an_image_says_what_it_is(images: dict[str, Image], half: str) -> None:
    config = images[half].config
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    commit = subprocess.run(("git", "rev-parse", "HEAD"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert len(labels["revision"]) == len(commit.strip())
    assert (labels["title"], labels["version"], labels["licenses"]) == (f"TweetBot {half}", VERSION, "Apache-2.0")
    assert (config["User"], config["Entrypoint"]) == ("65532:65532", [f"tweetbot-{half}"])


@pytest.mark.parametrize("half", HALVES)
def test_a_bill_of_materials_names_what_is_inside(images: dict[str, Image], half: str) -> None:
    bill: dict[str, Any] = json.loads((images[half].root / "app" / "sbom.cdx.json").read_text())
    named = {(part["name"].lower().replace("_", "-"), part["version"]) for part in bill["components"]}
    packages = list((images[half].root / "app").glob("lib/python3*/site-packages/*.dist-info"))
    packages += (images[half].root / "torch").glob("*.dist-info") if half == "trainer" else ()
    inside = {tuple(path.name.removesuffix(".dist-info").rsplit("-", 1)) for path in packages}
    assert named == {(name.lower().replace("_", "-").replace(".", "-"), version) for name, version in inside}


def test_the_trainer_tells_how_it_is_used(images: dict[str, Image], tmp_path: Path) -> None:
    code, said = images["trainer"].run(tmp_path / "help", "--help")
    assert (code, "exit codes: 0 success" in said) == (0, True)


def test_the_operator_tells_what_it_lacks(images: dict[str, Image], tmp_path: Path) -> None:
    code, said = images["operator"].run(tmp_path / "lost")
    assert (code, "no cluster" in said) == (1, True)


def test_posts_become_a_model_and_nothing_is_compiled_again(images: dict[str, Image], tmp_path: Path) -> None:
    code, said = images["trainer"].run(tmp_path / "train", "--", "python", "-c", SMOKE, mounts=SMOKE_FILES)
    assert code == 0, said
    assert "published file:///tmp/smoke/models/build/smoke/" in said
    assert "compiled again: []" in said, said[said.index("sources:") :]


def draw_in_image(image: Image, folder: Path, prompt: str) -> Picture:
    """Return the posts in the picture of a bot that begins them with this prompt, drawn in the image."""
    manifest = yaml.safe_load((ROOT / "trainer" / "smoke.yaml").read_text())
    manifest["spec"]["output"]["s3"]["uri"] = "file:///tmp/models"
    manifest["spec"]["evaluation"] = {"prompts": [prompt], "samples": 5}
    (folder / "bot.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "posts.txt").write_text("".join(f"{prompt} 港の朝は静かで猫が{n}匹寝ている {n}\n" for n in range(400)))
    files = {"/tmp/bot.yaml": folder / "bot.yaml", "/tmp/posts.txt": folder / "posts.txt"}
    code, said = image.run(folder / "draw", "--", "python", "-c", PICTURE, mounts=files)
    assert code == 0, said
    return opened(base64.b64decode(said.split("picture: ")[1].split()[0])).convert("RGB").crop((0, 140, 1140, 560))


def test_a_japanese_bot_has_a_picture_of_its_posts(images: dict[str, Image], tmp_path: Path) -> None:
    prompt = "港朝静猫防波堤"
    posts = draw_in_image(images["trainer"], tmp_path, prompt).crop((0, 0, 1140, 80))
    line = find_ink(posts, TEAL)
    assert line is not None, "the prompt is drawn in its colour"
    assert not has_look_alikes(split_into_cells(posts.crop(line), len(prompt)))


def test_emoji_are_in_colour_in_a_bots_picture(images: dict[str, Image], tmp_path: Path) -> None:
    assert count_yellow(draw_in_image(images["trainer"], tmp_path, "👇🔥👨‍👩‍👧 is")) > 500


def test_the_fonts_in_the_image_are_small_and_licensed(images: dict[str, Image]) -> None:
    (folder,) = images["trainer"].root.glob("app/lib/python3*/site-packages/tweetbot_trainer/**/font_files")
    assert (folder / "LICENSE").is_file()
    assert size(folder) <= 25 * MEGABYTE


def test_a_training_ends_by_sigterm_with_its_own_exit_code(images: dict[str, Image], tmp_path: Path) -> None:
    arguments = ("run", "--manifest", "/tmp/smoke.yaml", "--work", "/tmp/work")
    with images["trainer"].running(tmp_path / "stopped", *arguments, mounts=SMOKE_FILES) as process:
        until(lambda: "training on" in process.said(), 120)
        process.ask_to_end()
        assert process.wait(60) == 143, process.said()


@pytest.mark.parametrize("until_it", ["starts", "waits for its API server"])
def test_the_operator_ends_by_sigterm_at_any_time(images: dict[str, Image], tmp_path: Path, until_it: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(UNREACHABLE))
    env = {"KUBECONFIG": "/tmp/kubeconfig"}
    with images["operator"].running(tmp_path / "run", env=env, mounts={"/tmp/kubeconfig": kubeconfig}) as process:
        if until_it == "starts":
            until(lambda: running(process.name), 30)
        else:
            until(lambda: "API server" in process.said(), 60)
        process.ask_to_end()
        assert process.wait(20) == 0, process.said()


def running(name: str) -> bool:
    """Tell whether the container's program runs."""
    found = subprocess.run(("runc", "state", name), capture_output=True, text=True, check=False)
    return found.returncode == 0 and json.loads(found.stdout)["status"] == "running"
