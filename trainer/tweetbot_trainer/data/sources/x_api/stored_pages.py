"""Where billed pages are kept, for all runs of a bot: `<prefix>/raw/x/<handle>/`. What is kept never changes."""

from tweetbot_trainer.store.address import join
from tweetbot_trainer.store.interface import ObjectStore


class StorePages:
    """A page cache in a folder of an object store, as one run sees it."""

    def __init__(self, store: ObjectStore, folder: str, run_id: str) -> None:
        self._store, self._folder, self.run_id = store, folder, run_id

    def list_names(self, folder: str) -> list[str]:
        """Return the names of what is kept in a folder, in their order."""
        found = self._store.list(f"{join(self._folder, folder)}/")
        return sorted(info.uri.rsplit("/", 1)[-1] for info in found)

    def load(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        found = self._store.find(join(self._folder, name))
        return found.body if found else None

    def save(self, name: str, content: bytes) -> None:
        """Keep something under a name, unless something is kept there already."""
        self._store.put_if_absent(join(self._folder, name), content)


def get_pages_folder(prefix: str, handle: str) -> str:
    """Return where an account's pages lie; handles are the same in any case."""
    return join(prefix, "raw", "x", handle.lower())
