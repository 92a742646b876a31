"""`tweetbot-trainer generate`: posts by a published model, for people and for programs."""

import json
from pathlib import Path


def run_generate(model: Path, prompt: str, *, count: int, seed: int, as_json: bool) -> int:
    """Write posts to stdout, one a line, or as one JSON object. Raises SpecRefused where there is no model."""
    from tweetbot_trainer.generation import generate

    posts = generate(model, prompt, count=count, seed=seed)
    if as_json:
        print(json.dumps({"ai_generated": True, "prompt": prompt, "posts": posts}, ensure_ascii=False))
    else:
        print("\n".join(posts))
    return 0
