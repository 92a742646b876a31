"""Which base a spec names, and its files: in the store, or on a mounted PersistentVolumeClaim."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tweetbot_contract import reasons
from tweetbot_contract.handover import BASE_DIR
from tweetbot_contract.spec.model import PVC_SCHEME
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.model.identity import HUB, SCRATCH_DIGESTS, BaseIdentity, identify_base
from tweetbot_trainer.runtime.errors import NotAuthorized, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, OpenStore
from tweetbot_trainer.store.folder import FolderStore

if TYPE_CHECKING:  # it loads the tokenizers library, which a scratch base does without
    from tweetbot_trainer.learning.model.metadata import BaseMetadata


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """Opens files of bases that are folders: `pvc://claim/folder` below `mounted`, others in their address's store.

    Bases on the Hub are read with `hub_token`, if there is one.
    """

    open_store: OpenStore
    mounted: Path = Path(BASE_DIR)
    hub_token: str | None = None

    def open_stream(self, uri: str) -> BinaryIO:
        """Open a file for sequential reading. Raises ObjectNotFound."""
        store, address = self._resolve(uri)
        return store.open_seekable(address)

    def get_size(self, uri: str) -> int:
        """Return a file's size in bytes, 0 if it is missing."""
        store, address = self._resolve(uri)
        found = store.head(address)
        return found.size if found else 0

    def download(self, uri: str, path: Path) -> None:
        """Download a file. Raises ObjectNotFound, and OSError if the disk is full."""
        store, address = self._resolve(uri)
        store.download(address, path)

    def _resolve(self, uri: str) -> tuple[ObjectStore, str]:
        if not uri.startswith(PVC_SCHEME):
            return self.open_store(uri), uri
        return FolderStore(), (self.mounted / uri.removeprefix(PVC_SCHEME).partition("/")[2]).as_uri()


def resolve_base_identity(spec: TweetBotSpec, files: BaseFiles, retry_budget: RetryBudget) -> BaseIdentity:
    """Identify the spec's base; retries an unavailable hub within the budget. Raises as identify_base."""
    resolve = partial(_resolve_on_hub, retry_budget, files.hub_token)
    return identify_base(spec.model, open_stream=files.open_stream, resolve=resolve)


def inspect_base(
    spec: TweetBotSpec, files: BaseFiles, retry_budget: RetryBudget, folder: Path
) -> tuple[BaseIdentity, "BaseMetadata | None"]:
    """Identify the spec's base, and read its small parts; a scratch base has none. `folder` takes downloads.

    A folder's are read first, as its identity takes reading all of it. Raises SpecRefused if it cannot be trained, and
    as identify_base.
    """
    uri = spec.model.base.rstrip("/")
    if uri in SCRATCH_DIGESTS or uri.startswith(HUB):
        identity = resolve_base_identity(spec, files, retry_budget)
        name, token = identity.hub_name, files.hub_token
        if name is None:
            return identity, None
        found = retry_budget.call(lambda: _read_on_hub(identity, name, folder, token))
        return _describe(identity, found), found
    from tweetbot_trainer.learning.model.metadata import read_metadata

    try:
        metadata = read_metadata(uri, lambda name: files.open_stream(f"{uri}/{name}"))
        return _describe(resolve_base_identity(spec, files, retry_budget), metadata), metadata
    except NotAuthorized as refusal:
        raise NotAuthorized(
            refusal.reason, f"spec.model.base: {refusal.message}. {_name_credentials(spec, uri)}"
        ) from refusal


def _describe(identity: BaseIdentity, metadata: "BaseMetadata") -> BaseIdentity:
    from tweetbot_trainer.learning.decoder.configs import get_model_type

    config = metadata.config
    return replace(identity, architecture=get_model_type(config), channels=config.channels)


def _name_credentials(spec: TweetBotSpec, uri: str) -> str:
    """Say what a base is read with, so that its owner knows whom to let read it."""
    if uri.startswith(PVC_SCHEME):
        return "The claim is mounted read-only: let the trainer's user read the folder."
    secret = spec.output.s3.credentials_secret
    by = f"the Secret {secret.name}" if secret else f"the service account {spec.service_account_name or 'default'}"
    return f"A base in S3 is read with {by}, as the output is: let it read {uri}."


def _read_on_hub(identity: BaseIdentity, name: str, folder: Path, token: str | None) -> "BaseMetadata":
    from tweetbot_trainer.learning.model.hub import RemoteFiles
    from tweetbot_trainer.learning.model.metadata import read_metadata

    folder.mkdir(parents=True, exist_ok=True)
    return read_metadata(identity.uri, RemoteFiles(name, identity.digest, folder, token=token).open_file)


def _resolve_on_hub(retry_budget: RetryBudget, token: str | None, name: str, revision: str | None) -> str:
    from tweetbot_trainer.learning.model.hub import resolve_commit  # loads httpx and the hub's client: only here

    silence = TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, f"The hub has not answered a request for {name} yet.")
    return retry_budget.call(lambda: resolve_commit(name, revision, token=token), silence)
