"""`tweetbot-trainer generate`: posts by a published model, as text or JSON."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tweetbot_contract import reasons
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.post_length import LIMIT, collapse_whitespace, has_room_for_word
from tweetbot_trainer.learning.sampling import override_sampling
from tweetbot_trainer.publishing.disclosure import Origin, read_origin
from tweetbot_trainer.publishing.registry.download import CopyCheck, load_model
from tweetbot_trainer.publishing.registry.manifest import REMOVED_FILE
from tweetbot_trainer.runtime.errors import SpecRefused

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
    from tweetbot_trainer.learning.generation.generation import PostGenerator
    from tweetbot_trainer.learning.training.device import use_threads_for

    base, own = load_model(folder)
    use_threads_for([base.model.config.channels])
    sampling = override_sampling(own, temperature=request.temperature, top_p=request.top_p)
    generator = PostGenerator(base, sampling, request.seed)
    return generator.continue_prompt(request.prompt, request.count, exclude_copies_of=exclude_copies_of)


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
