"""Dataset snapshots in the output's folders `datasets/<digest>/`."""

from collections.abc import Callable
from contextlib import suppress

from tweetbot_contract import reasons
from tweetbot_contract.handover import RETRAIN_ANNOTATION, RunDocument
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, SUMMARY_FILE, Dataset, is_whole, read_dataset
from tweetbot_trainer.data.dataset.ids import IDS_FILE
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, join


def get_dataset_uri(run: RunDocument, digest: str) -> str:
    """Return the folder of a snapshot."""
    return join(run.prefix, "datasets", digest)


def is_stored(store: ObjectStore, run: RunDocument, digest: str) -> bool:
    """Read and verify all files of the snapshot with this digest, without keeping its posts."""
    uri = get_dataset_uri(run, digest)
    summary = store.find(join(uri, SUMMARY_FILE))
    posts = store.find(join(uri, POSTS_FILE)) if summary else None
    if summary is None or posts is None or store.head(join(uri, IDS_FILE)) is None:
        return False
    return is_whole(posts.body, summary.body, digest=digest)


def store_dataset(
    store: ObjectStore, run: RunDocument, dataset: Dataset, *, check: Callable[[], None] = lambda: None
) -> str:
    """Write a snapshot unless it is there already, and return its folder. `check` may raise before each write."""
    uri = get_dataset_uri(run, dataset.digest)
    check()
    if not is_stored(store, run, dataset.digest):
        for name, content in dataset.build_files().items():
            check()
            store.put(join(uri, name), content)
    return uri


def load_dataset(store: ObjectStore, run: RunDocument, digest: str) -> Dataset:
    """Read the snapshot that a training was given. Raises SpecRefused if somebody removed or damaged it."""
    uri = get_dataset_uri(run, digest)
    posts, summary = store.find(join(uri, POSTS_FILE)), store.find(join(uri, SUMMARY_FILE))
    with suppress(SpecRefused):
        if posts and summary:
            return read_dataset(posts.body, summary.body, digest=digest)
    advice = f"set the annotation {RETRAIN_ANNOTATION} to have it prepared again"
    raise SpecRefused(reasons.SOURCE_UNREADABLE, f"the dataset at {uri} is gone or damaged; {advice}")
