"""`tweetbot-trainer generate`: posts by a published model, as text or JSON."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tweetbot_contract import reasons
from tweetbot_trainer.data.post_length import LIMIT, has_room_for_word
from tweetbot_trainer.learning.evaluation.copies import HASHES_FILE, CopyDetector
from tweetbot_trainer.learning.model.identity import CONFIG, BaseIdentity
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.publishing.registry.lineage import find_version
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, compute_sha256, join

if TYPE_CHECKING:
    from tweetbot_trainer.learning.generation.generation import Generated

Form = Literal["text", "json", "jsonl"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate. None means the model's own value; `keep_copies` keeps copies of training posts."""

    prompt: str
    count: int = 5
    seed: int = 42
    temperature: float | None = None
    top_p: float | None = None
    keep_copies: bool = False


def run_generate(folder: Path, request: Request, form: Form) -> int:
    """Write posts to stdout, and to stderr how many were discarded.

    `text` is one post per line, `json` one object, `jsonl` one object per line. Raises SpecRefused if there is no
    model, or if it writes nothing that may be shown.
    """
    written = generate_posts(folder, request)
    if written.copies:
        print(f"{written.copies} texts copied a training post and were discarded", file=sys.stderr)
    if not written.posts:
        advice = "raise --temperature, change --prompt, or pass --keep-copies"
        raise SpecRefused(reasons.SPEC_REFUSED, f"the model wrote nothing new: {advice}")
    if len(written.posts) < request.count:
        print(f"only {len(written.posts)} different posts were generated", file=sys.stderr)
    _print(written.posts, written.copies, request, form)
    return 0


def generate_posts(folder: Path, request: Request) -> "Generated":
    """Generate posts with a model directory. Raises SpecRefused, which names the option."""
    if not has_room_for_word(request.prompt):
        raise SpecRefused(reasons.SPEC_REFUSED, f"--prompt leaves no room: a post has {LIMIT} characters")
    if not (folder / CONFIG).is_file():
        message = f"--model: there is no model in {folder}: {CONFIG} is missing"
        raise SpecRefused(reasons.BASE_MODEL_NOT_FOUND, message)
    exclude_copies_of = None if request.keep_copies else _load_copy_detector(folder)
    from tweetbot_trainer.learning.generation.generation import PostGenerator, read_generation_config
    from tweetbot_trainer.learning.model.base import read_base

    try:
        base = read_base(folder, BaseIdentity(str(folder), "folder", ""))
        sampling = _override_sampling(read_generation_config(folder), request)
    except SpecRefused as refusal:
        raise SpecRefused(refusal.reason, f"--model: {refusal.message}") from refusal
    base.model.eval()
    generator = PostGenerator(base, sampling, request.seed)
    return generator.continue_prompt(request.prompt, request.count, exclude_copies_of=exclude_copies_of)


@contextmanager
def download_model(store: ObjectStore, uri: str) -> Iterator[Path]:
    """Download a published model to a temporary folder and check its files against the manifest.

    Raises SpecRefused if nothing is published at the address (see find_version), or a file is damaged.
    """
    version = find_version(store, uri)
    with tempfile.TemporaryDirectory(prefix="tweetbot-model-") as folder:
        for path, record in version.manifest.files.items():
            inside, _, name = path.partition("/")
            if inside != MODEL_FOLDER:
                continue
            target = Path(folder) / Path(name).name
            store.download(join(version.home, path), target)
            if compute_sha256(target) != record.sha256:
                message = f"--model: {join(version.home, path)} differs from its manifest"
                raise SpecRefused(reasons.SOURCE_UNREADABLE, message)
        yield Path(folder)


def _load_copy_detector(folder: Path) -> CopyDetector:
    try:
        return CopyDetector.decode((folder / HASHES_FILE).read_bytes())
    except (OSError, ValueError) as error:
        message = (
            f"--model: {folder} has no readable {HASHES_FILE}, so copies of training posts cannot be detected: "
            "pass --keep-copies to allow them"
        )
        raise SpecRefused(reasons.BASE_MODEL_REFUSED, message) from error


def _override_sampling(own: SamplingParams, request: Request) -> SamplingParams:
    temperature = own.temperature if request.temperature is None else request.temperature
    return replace(own, temperature=temperature, top_p=own.top_p if request.top_p is None else request.top_p)


def _print(posts: tuple[str, ...], copies: int, request: Request, form: Form) -> None:
    match form:
        case "json":
            content = {"ai_generated": True, "prompt": request.prompt, "posts": posts, "copies_thrown_away": copies}
            print(json.dumps(content, ensure_ascii=False))
        case "jsonl":
            for post in posts:
                line = {"prompt": request.prompt, "text": post, "seed": request.seed, "ai_generated": True}
                print(json.dumps(line, ensure_ascii=False))
        case "text":
            print("\n".join(posts))
