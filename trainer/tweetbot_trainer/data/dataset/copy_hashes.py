"""Keyed hashes beside a dataset's posts, by which `generate` recognizes copies of them.

    <prefix>/datasets/copies.key               32 random bytes of this TweetBot
                      <digest>/copies.hashes   CopyDetector.encode

Both have the rights of the posts: a reader of both can guess posts. Erasing a dataset's folder erases its hashes.
"""

import re
import secrets

from tweetbot_contract import reasons
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, SUMMARY_FILE, Dataset, read_dataset
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, join

COPY_HASHES_FILE, KEY_FILE = "copies.hashes", "copies.key"
KEY_BYTES = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


def store_copy_hashes(store: ObjectStore, folder: str, dataset: Dataset) -> None:
    """Write the hashes of a dataset's posts into its folder, unless they are there."""
    key = _obtain_key(store, folder)
    if _find_hashes(store, folder, key) is None:
        detector = CopyDetector.from_posts((post.text for post in dataset.posts), key=key)
        store.put(join(folder, COPY_HASHES_FILE), detector.encode())


def load_copy_detector(store: ObjectStore, folder: str) -> CopyDetector:
    """Return the detector of a dataset's posts: from its hashes, or from the posts if hashes or key are missing.

    Raises SpecRefused if there is no readable dataset in the folder, and as the store does.
    """
    digest = folder.rstrip("/").rpartition("/")[2]
    if not _DIGEST.fullmatch(digest):
        message = f"{folder} is not the folder of a dataset, whose name is the dataset's digest"
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, message)
    found = store.find(_get_key_uri(folder))
    detector = _find_hashes(store, folder, found.body) if found else None
    return detector or _hash_posts(store, folder, digest)


def _hash_posts(store: ObjectStore, folder: str, digest: str) -> CopyDetector:
    summary = store.find(join(folder, SUMMARY_FILE))
    posts = store.find(join(folder, POSTS_FILE)) if summary else None
    if summary is None or posts is None:
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, f"there is no dataset at {folder}")
    return CopyDetector.from_posts(post.text for post in read_dataset(posts.body, summary.body, digest=digest).posts)


def _obtain_key(store: ObjectStore, folder: str) -> bytes:
    """Return the TweetBot's key. The first Pod that needs one makes it; all agree on what was written first."""
    uri = _get_key_uri(folder)
    found = store.find(uri)
    if found and len(found.body) == KEY_BYTES:
        return found.body
    fresh = secrets.token_bytes(KEY_BYTES)
    if found:
        store.put_if_match(uri, fresh, found.etag)
    else:
        store.put_if_absent(uri, fresh)
    written = store.find(uri)
    if written is None or len(written.body) != KEY_BYTES:
        raise StorageUnavailable(f"{uri} is changed by others as it is written")
    return written.body


def _find_hashes(store: ObjectStore, folder: str, key: bytes) -> CopyDetector | None:
    """Return the stored hashes; None if there are none, or they are damaged or of another key."""
    found = store.find(join(folder, COPY_HASHES_FILE)) if len(key) == KEY_BYTES else None
    try:
        return CopyDetector.decode(found.body, key=key) if found else None
    except ValueError:
        return None


def _get_key_uri(folder: str) -> str:
    return join(folder.rstrip("/").rpartition("/")[0], KEY_FILE)
