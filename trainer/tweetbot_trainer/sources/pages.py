"""Billed pages kept in the run's own folder of the output: `<prefix>/raw/x/<handle>/<run id>/`."""

from tweetbot_trainer.store.address import join
from tweetbot_trainer.store.interface import ObjectStore


class StorePages:
    """A page cache in a folder of an object store."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store, self._folder = store, folder

    def load(self, name: str) -> bytes | None:
        """Return a page kept earlier, or None."""
        found = self._store.find(join(self._folder, name))
        return found.body if found else None

    def save(self, name: str, content: bytes) -> None:
        """Keep a page."""
        self._store.put(join(self._folder, name), content)


def pages_folder(prefix: str, handle: str, run_id: str) -> str:
    """Return where a run's pages of an account lie; handles are the same in any case."""
    return join(prefix, "raw", "x", handle.lower(), run_id)
