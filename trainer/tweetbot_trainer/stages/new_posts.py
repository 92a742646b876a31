"""Counts the posts that the served model has not seen, for `spec.schedule.minNewPosts`."""

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.data.dataset.ids import IDS_FILE, read_ids
from tweetbot_trainer.data.dataset.store import get_dataset_uri
from tweetbot_trainer.publishing.registry.latest import read_newest_version
from tweetbot_trainer.publishing.registry.manifest import build_version_uri, read_version
from tweetbot_trainer.store import ObjectStore, join


def count_new_posts_if_too_few(store: ObjectStore, run: RunDocument, digest: str) -> int | None:
    """Return the number of new posts if the run needs more, or None if it has enough.

    A post is new if the served model's dataset has no post with its source and id, so an edited post is not new. While
    a version is pinned, the one counts that would be served without the pin. If nothing can be compared (no served
    model, no manifest, no list of ids), the run has enough.
    """
    if not run.min_new_posts:
        return None
    served = read_newest_version(store, run)
    found = read_version(store, build_version_uri(run, served)) if served else None
    before = _load_ids(store, run, found.manifest.dataset.digest) if found else None
    after = _load_ids(store, run, digest)
    if before is None or after is None:
        return None
    new = len(after - before)
    return new if new < run.min_new_posts else None


def _load_ids(store: ObjectStore, run: RunDocument, digest: str) -> set[tuple[int, str]] | None:
    found = store.find(join(get_dataset_uri(run, digest), IDS_FILE))
    try:
        return {(post.source, post.id) for post in read_ids(found.body.splitlines())} if found else None
    except ValueError:
        return None
