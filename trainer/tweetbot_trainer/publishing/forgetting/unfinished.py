"""forget.json: what an erasure set out to erase, so that a later one finds what is left after the lists of ids went.

It is written before the first object goes, and erased when nothing is left. It names no post.
"""

from pydantic import ValidationError

from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.store import ObjectStore, join

UNFINISHED_FILE = "forget.json"


class UnfinishedErasure(Part):
    """The digests of datasets that hold deleted posts, and the addresses of runs at Weights & Biases that saw them."""

    schema_version: int = 1
    datasets: tuple[str, ...] = ()
    tracked_runs: tuple[str, ...] = ()


def read_unfinished(store: ObjectStore, folder: str) -> UnfinishedErasure:
    """Return what the last erasure in a TweetBot's folder has left; nothing if there is no record that can be read."""
    found = store.find(join(folder, UNFINISHED_FILE))
    try:
        return UnfinishedErasure.model_validate_json(found.body, extra="ignore") if found else UnfinishedErasure()
    except ValidationError:
        return UnfinishedErasure()


def write_unfinished(store: ObjectStore, folder: str, left: UnfinishedErasure) -> None:
    """Record what is left to erase, or erase the record if that is nothing."""
    uri = join(folder, UNFINISHED_FILE)
    if left == UnfinishedErasure():
        store.delete(uri)
    else:
        store.put(uri, (left.model_dump_json(by_alias=True, indent=1) + "\n").encode())
