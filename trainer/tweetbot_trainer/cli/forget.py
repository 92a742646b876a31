"""`tweetbot-trainer forget`: find the datasets and models that contain deleted posts, and say what to do."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.handover import ExitCode
from tweetbot_trainer.publishing.hub.record import CopyHit, find_copies
from tweetbot_trainer.publishing.registry.forgetting import (
    LIST_LIMIT,
    DatasetHit,
    ModelHit,
    SearchResult,
    parse_ids,
    search,
)
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore

#: Ids printed per dataset; --json prints all.
SHOWN = 5


def run_forget(store: ObjectStore, ids: Path, root: str, *, as_json: bool) -> int:
    """Print what contains the listed posts below an address; return 0, or 10 if a dataset or version is unreadable.

    Raises SpecRefused for a list that cannot be read, and as the store does.
    """
    wanted = parse_ids(_read_ids(ids), str(ids))
    found = search(store, root, wanted)
    posts = {dataset.digest: tuple(dataset.posts) for dataset in found.datasets}
    copies, unknown = find_copies(store, found.hub_records, posts, found.readable)
    found.unknown += unknown
    if as_json:
        print(json.dumps(_build_document(found, copies, wanted), ensure_ascii=False))
    else:
        print("\n".join(_format_lines(found, copies, wanted)))
    return int(ExitCode.REFUSED if found.unknown else ExitCode.DONE)


def _read_ids(ids: Path) -> bytes:
    try:
        with ids.open("rb") as file:
            return file.read(LIST_LIMIT + 1)
    except OSError as error:
        raise SpecRefused(reasons.SOURCE_UNREADABLE, f"{ids} cannot be read: {error.strerror}") from error


def _build_document(found: SearchResult, copies: list[CopyHit], wanted: frozenset[str]) -> dict[str, Any]:
    return {
        "datasets": [asdict(dataset) | {"bot": _parse_bot(dataset.uri)} for dataset in found.datasets],
        "models": [asdict(model) | {"bot": _parse_bot(model.uri)} for model in found.models],
        "copies": [asdict(copy) for copy in copies],
        "unknown": found.unknown,
        "notFound": sorted(wanted - found.found),
    }


def _format_lines(found: SearchResult, copies: list[CopyHit], wanted: frozenset[str]) -> list[str]:
    return [
        f"{len(found.found)} of {len(wanted)} posts found, in {len(found.datasets)} datasets and "
        f"{len(found.models)} models",
        *(line for dataset in found.datasets for line in _format_dataset(dataset)),
        *(_format_model(model) for model in found.models),
        *(f"copy     {copy.url}: learned from {_format_ids(copy.posts)}" for copy in copies),
        *(f"unknown  {uri}: its list of posts is missing or unreadable; delete it" for uri in found.unknown),
        *_format_advice(found),
    ]


def _format_dataset(dataset: DatasetHit) -> list[str]:
    copies = {post: others for post, others in dataset.posts.items() if others}
    return [
        f"dataset  {dataset.uri}: {_format_ids(tuple(dataset.posts))}",
        *(f"         {post} has the same text as {_format_ids(others)}, not listed" for post, others in copies.items()),
    ]


def _format_model(model: ModelHit) -> str:
    state = ", and is pinned" if model.pinned else ", and is served" if model.served else ""
    return f"model    {model.uri}: learned from {_format_ids(model.posts)}{state}"


def _format_advice(found: SearchResult) -> list[str]:
    if not found.datasets:
        return []
    bots = sorted({_parse_bot(dataset.uri) for dataset in found.datasets})
    pinned = "Remove spec.pin. " if any(model.pinned for model in found.models) else ""
    return [
        "",
        f"What to do, for {', '.join(bots)}:",
        "1. List the posts in spec.filter.excludeIds of the TweetBot. This starts a run without them.",
        "   Near-duplicates that were dropped in their favor may now be kept.",
        f"2. {pinned}When the new model is served, delete the datasets, models and copies above. A repository on the "
        "Hub keeps earlier versions: delete it whole; the next run creates it again.",
        "3. Delete the posts from the source itself and, if it is X, delete <output>/<namespace>/<name>/raw.",
    ]


def _parse_bot(uri: str) -> str:
    """Return `<namespace>/<name>` of the TweetBot that owns a dataset or model."""
    folder = uri.removesuffix(f"/{MODEL_FOLDER}")
    return "/".join(folder.split("/")[-4:-2])


def _format_ids(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more}"
