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
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.dataset.copy_hashes import load_copy_detector
from tweetbot_trainer.data.post_length import LIMIT, collapse_whitespace, has_room_for_word
from tweetbot_trainer.learning.model.identity import CONFIG, BaseIdentity
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.publishing.disclosure import Origin, read_origin
from tweetbot_trainer.publishing.registry.lineage import find_dataset_folder, find_version
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, REMOVED_FILE
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.store import ObjectStore, OpenStore, compute_sha256, join
from tweetbot_trainer.store.interface import UnnamedRefusal

if TYPE_CHECKING:
    from tweetbot_trainer.learning.generation.generation import Generated

Form = Literal["text", "json", "jsonl"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate. None means the model's own value; `keep_copies` keeps copies of posts."""

    prompt: str
    count: int = 5
    seed: int = 42
    temperature: float | None = None
    top_p: float | None = None
    keep_copies: bool = False


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """What copies are recognized by, or why they cannot be."""

    detector: CopyDetector | None
    missing: str = ""


#: Where nothing tells which dataset the model learned from.
UNCHECKED = CopyCheck(None, "a folder does not tell where the model's dataset is")


def load_copy_check(open_store: OpenStore, *, given: str | None = None, found: str | None = None) -> CopyCheck:
    """Load the hashes of a dataset's posts: of the one that was given, or found by the model's address.

    Raises SpecRefused and NotAuthorized if a given one cannot be read; one that was found may be out of reach.
    """
    folder = given or found
    if folder is None:
        return UNCHECKED
    try:
        return CopyCheck(load_copy_detector(open_store(folder), folder))
    except (NotAuthorized, SpecRefused, UnnamedRefusal) as refusal:
        if given:
            raise
        return CopyCheck(None, refusal.message)


def run_generate(folder: Path, request: Request, form: Form, check: CopyCheck) -> int:
    """Write posts to stdout, and to stderr how many were discarded, or that copies were not looked for, and why.

    `text` is one post per line, `json` one object, `jsonl` one object per line. Raises SpecRefused if there is no
    model, or if it writes nothing that may be shown.
    """
    detector = None if request.keep_copies else check.detector
    written = generate_posts(folder, request, detector)
    _print_warnings(folder, request, check)
    if written.copies:
        print(f"{written.copies} texts copied a post of the dataset and were discarded", file=sys.stderr)
    if not written.posts:
        advice = "raise --temperature, change --prompt" + (", or pass --keep-copies" if detector else "")
        raise SpecRefused(reasons.SPEC_REFUSED, f"the model wrote nothing new: {advice}")
    if len(written.posts) < request.count:
        print(f"only {len(written.posts)} different posts were generated", file=sys.stderr)
    _print(written, request, form, read_origin(folder), checked=detector is not None)
    return 0


def _print_warnings(folder: Path, request: Request, check: CopyCheck) -> None:
    if check.detector is None and not request.keep_copies:
        print(
            f"these posts may copy posts of the dataset, which was not compared: {check.missing}. Pass --dataset, or "
            "--keep-copies if that is all right",
            file=sys.stderr,
        )
    old = folder / Path(REMOVED_FILE).name
    if old.is_file():
        print(f"delete {old}: posts can be read out of it", file=sys.stderr)


def generate_posts(folder: Path, request: Request, exclude_copies_of: CopyDetector | None) -> "Generated":
    """Generate posts with a model directory. Raises SpecRefused, which names the option."""
    if not has_room_for_word(request.prompt):
        raise SpecRefused(reasons.SPEC_REFUSED, f"--prompt leaves no room: a post has {LIMIT} characters")
    if not (folder / CONFIG).is_file():
        message = f"--model: there is no model in {folder}: {CONFIG} is missing"
        raise SpecRefused(reasons.BASE_MODEL_NOT_FOUND, message)
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
def download_model(store: ObjectStore, uri: str) -> Iterator[tuple[Path, str | None]]:
    """Download a published model to a temporary folder, check its files against the manifest, and find its dataset.

    Raises SpecRefused if nothing is published at the address (see find_version), or a file is damaged.
    """
    version = find_version(store, uri)
    with tempfile.TemporaryDirectory(prefix="tweetbot-model-") as folder:
        for path, record in version.manifest.files.items():
            inside, _, name = path.partition("/")
            if inside != MODEL_FOLDER or path == REMOVED_FILE:
                continue
            target = Path(folder) / Path(name).name
            store.download(join(version.home, path), target)
            if compute_sha256(target) != record.sha256:
                message = f"--model: {join(version.home, path)} differs from its manifest"
                raise SpecRefused(reasons.SOURCE_UNREADABLE, message)
        yield Path(folder), find_dataset_folder(version)


def _override_sampling(own: SamplingParams, request: Request) -> SamplingParams:
    temperature = own.temperature if request.temperature is None else request.temperature
    return replace(own, temperature=temperature, top_p=own.top_p if request.top_p is None else request.top_p)


def _print(written: "Generated", request: Request, form: Form, origin: Origin, *, checked: bool) -> None:
    common = {
        "ai_generated": True,
        "disclosure": origin.disclosure,
        "model": origin.model,
        "prompt": request.prompt,
        "seed": request.seed,
        "copies_checked": checked,
    }
    match form:
        case "json":
            content = common | {"posts": written.posts, "copies_thrown_away": written.copies}
            print(json.dumps(content, ensure_ascii=False))
        case "jsonl":
            for index, post in enumerate(written.posts):
                print(json.dumps(common | {"index": index, "text": post}, ensure_ascii=False))
        case "text":
            print("\n".join(collapse_whitespace(post) for post in written.posts))
