"""Find out which base a spec means, and read it: from the run's store, the hub, or a claim that is mounted."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tweetbot_contract.handover import BASE_DIR
from tweetbot_contract.spec.model import PVC_SCHEME
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.model.identity import BaseIdentity, identify_base
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, OpenStore
from tweetbot_trainer.store.folder import FolderStore


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """The files of bases that are folders: of `pvc://claim/folder` below `mounted`, where the operator puts the claim,
    all others in the store of their address.
    """

    open_store: OpenStore
    mounted: Path = Path(BASE_DIR)

    def open_stream(self, uri: str) -> BinaryIO:
        """Open a file for reading from its beginning to its end. Raises ObjectNotFound."""
        store, address = self._resolve(uri)
        return store.open_stream(address)

    def download(self, uri: str, path: Path) -> None:
        """Copy a file. Raises ObjectNotFound, OSError when the disk is full."""
        store, address = self._resolve(uri)
        store.download(address, path)

    def _resolve(self, uri: str) -> tuple[ObjectStore, str]:
        if not uri.startswith(PVC_SCHEME):
            return self.open_store(uri), uri
        return FolderStore(), (self.mounted / uri.removeprefix(PVC_SCHEME).partition("/")[2]).as_uri()


def resolve_base_identity(spec: TweetBotSpec, files: BaseFiles, retry_budget: RetryBudget) -> BaseIdentity:
    """Return the identity of the spec's base; a hub that is away is waited for as long as the budget lasts.

    Raises SpecRefused (BaseModelNotFound, BaseModelRefused), NotAuthorized or Temporary.
    """
    return identify_base(spec.model, open_stream=files.open_stream, resolve=partial(_resolve_on_hub, retry_budget))


def _resolve_on_hub(retry_budget: RetryBudget, name: str, revision: str | None) -> str:
    from tweetbot_trainer.learning.model.hub import resolve_commit  # httpx and the hub's client: not for other bases

    return retry_budget.call(lambda: resolve_commit(name, revision))
