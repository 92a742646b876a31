"""Whether the score tells an author's unseen posts from other people's, in groups of 30 posts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from trial.fortunes import download_texts
from tweetbot_demo.grammar import make_post
from tweetbot_style_bench.sayings import FILES, read_sayings
from tweetbot_trainer.learning.style.background import Background, load_backgrounds
from tweetbot_trainer.learning.style.scale import fit_scale
from tweetbot_trainer.learning.style.style import FEWEST_HELD_OUT_POSTS

GROUP = 30
#: Posts of an account at the most and at the least, and the parts of which each is unseen once.
POSTS, FEWEST_POSTS, FOLDS = 480, 180, 4
GULL = "harbour_gull"

Accounts = Mapping[str, Sequence[str]]


def read_accounts(folder: Path) -> dict[str, list[str]]:
    """Read the accounts in random order: files of the fortunes that are no background, and the fictional account."""
    found = defaultdict[str, list[str]](list)
    for file, text in read_sayings(download_texts(folder), FILES):
        found[file].append(text)
    random = Random(1)
    found[GULL] = [make_post(random) for _ in range(POSTS)]
    return {name: _shuffle(name, own)[:POSTS] for name, own in sorted(found.items()) if len(set(own)) >= FEWEST_POSTS}


def measure_attribution(accounts: Accounts) -> dict[str, Any]:
    """Return the AUC by account and of all together, with the scores of others, for either view."""
    views = dict(zip(("style", "functionWords"), load_backgrounds(), strict=True))
    return {name: _measure_view(accounts, background) for name, background in views.items()}


def compute_auc(own: Sequence[float], others: Sequence[float]) -> float:
    """Return how often a group of the author's scores higher than one of another's; equal scores count half."""
    wins = sum((one > other) + (one == other) / 2 for one in own for other in others)
    return wins / (len(own) * len(others))


def _measure_view(accounts: Accounts, background: Background) -> dict[str, Any]:
    scores = {name: _score_groups(name, accounts, background) for name in accounts}
    own = [score for name, by in scores.items() for score in by[name]]
    others = [score for name, by in scores.items() for other, found in by.items() if other != name for score in found]
    return {
        "auc": round(compute_auc(own, others), 4),
        "othersMean": round(sum(others) / len(others), 3),
        "accounts": {name: _summarize(name, accounts[name], by) for name, by in scores.items()},
    }


def _score_groups(name: str, accounts: Accounts, background: Background) -> dict[str, list[float]]:
    """Return the scores of groups of every account by one account's posts, each quarter of which is unseen once."""
    found: dict[str, list[float]] = {other: [] for other in accounts}
    for fold in range(FOLDS):
        unseen = accounts[name][fold::FOLDS]
        seen = [post for index, post in enumerate(accounts[name]) if index % FOLDS != fold]
        scale = fit_scale(background, seen[FEWEST_HELD_OUT_POSTS:], seen[:FEWEST_HELD_OUT_POSTS])
        if scale is None:
            continue
        for other, texts in accounts.items():
            groups = _split_groups(unseen if other == name else texts[fold::FOLDS])
            found[other] += [score.value for group in groups if (score := scale.measure(group))]
    return found


def _split_groups(texts: Sequence[str]) -> list[Sequence[str]]:
    starts = range(0, len(texts) - GROUP + 1, GROUP)
    return [texts[start : start + GROUP] for start in starts]


def _summarize(name: str, posts: Sequence[str], scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    others = {other: sum(found) / len(found) for other, found in scores.items() if other != name and found}
    if not scores[name] or not others:
        return {"posts": len(posts)}
    nearest = max(others, key=lambda other: others[other])
    of_others = [score for other, found in scores.items() if other != name for score in found]
    return {
        "posts": len(posts),
        "auc": round(compute_auc(scores[name], of_others), 3),
        "own": round(sum(scores[name]) / len(scores[name]), 3),
        "others": round(sum(of_others) / len(of_others), 3),
        "nearest": nearest,
        "nearestScore": round(others[nearest], 3),
    }


def _shuffle(name: str, texts: Sequence[str]) -> list[str]:
    order = sorted(set(texts))
    Random(name).shuffle(order)
    return order
