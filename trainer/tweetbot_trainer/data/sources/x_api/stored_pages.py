"""Billed pages in the store, for all runs of a bot: `<prefix>/raw/x/<handle>/`. They never change."""

from tweetbot_trainer.store.address import join
from tweetbot_trainer.store.interface import ObjectStore


class StorePages:
    """A run's page cache in a folder of an object store."""

    def __init__(self, store: ObjectStore, folder: str, run_id: str) -> None:
        self._store, self._folder, self.run_id = store, folder, run_id

    def list_names(self, folder: str) -> list[str]:
        """Return the sorted names of a folder's pages."""
        found = self._store.list(f"{join(self._folder, folder)}/")
        return sorted(info.uri.rsplit("/", 1)[-1] for info in found)

    def load(self, name: str) -> bytes | None:
        """Load a page, if it is there."""
        found = self._store.find(join(self._folder, name))
        return found.body if found else None

    def save(self, name: str, content: bytes) -> None:
        """Store a page unless the name is taken."""
        self._store.put_if_absent(join(self._folder, name), content)


def get_pages_folder(prefix: str, handle: str) -> str:
    """Return the folder of an account's pages; handles ignore case."""
    return join(prefix, "raw", "x", handle.lower())
