"""Base models on the Hugging Face Hub: from a name to a commit, and from a commit to files. Imports no torch."""

import errno
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, TypeVar

from huggingface_hub import HfApi, constants, get_hf_file_metadata, get_session, hf_hub_url, snapshot_download
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

from tweetbot_contract import reasons
from tweetbot_trainer.learning.model.hub_errors import NO_ANSWER, UNREADABLE, translate_error
from tweetbot_trainer.learning.model.identity import CONFIG, FILES, GENERATION_CONFIG, TOKENIZER, TOKENIZER_CONFIG
from tweetbot_trainer.runtime.errors import TemporaryError
from tweetbot_trainer.store.interface import ObjectNotFound
from tweetbot_trainer.store.ranged import open_ranged_file

#: The hub's client in Rust would connect past runtime/egress.py.
constants.HF_HUB_DISABLE_XET = True
#: Timeout of a request about a model, in seconds.
ANSWER_TIMEOUT = 30
#: Bytes of the largest file that is downloaded to be looked at; of a larger one only what is read.
LARGEST_DOWNLOAD = 64 * 1024**2
_SMALL = (CONFIG, TOKENIZER, GENERATION_CONFIG, TOKENIZER_CONFIG)
_CHUNK = 65536

T = TypeVar("T")


def resolve_commit(name: str, revision: str | None, *, endpoint: str | None = None, token: str | None = None) -> str:
    """Resolve a branch or tag, by default the main branch, to its commit; `endpoint` replaces huggingface.co.

    Raises SpecRefused if there is no such model or revision, TemporaryError if the hub is unavailable.
    """
    api = HfApi(endpoint, token=token)
    info = ask_hub(name, revision, lambda: api.model_info(name, revision=revision, timeout=ANSWER_TIMEOUT))
    if not info.sha:
        raise TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, f"The hub names no commit of {name}.")
    return info.sha


def download(
    name: str,
    commit: str,
    folder: Path,
    *,
    files: Sequence[str] = FILES,
    endpoint: str | None = None,
    token: str | None = None,
) -> None:
    """Download files of a commit, and check each by the hash that the hub has for it: sha256 or git's own.

    Raises as resolve_commit. A file with other bytes is deleted, so that another call downloads it again, and raises
    TemporaryError.
    """
    ask_hub(
        name,
        commit,
        lambda: snapshot_download(
            name,
            revision=commit,
            local_dir=folder,
            allow_patterns=list(files),
            endpoint=endpoint,
            max_workers=3,
            token=token,
        ),
    )
    api = HfApi(endpoint, token=token)
    found = ask_hub(name, commit, lambda: api.verify_repo_checksums(name, revision=commit, local_dir=folder))
    for wrong in found.mismatches:
        (folder / wrong["path"]).unlink()
    if found.mismatches:
        first = found.mismatches[0]
        text = f"{first['path']} of hf://{name} came with other bytes than its commit records ({first['algorithm']})."
        raise TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, text)


class RemoteFiles:
    """The files of a commit: small ones are downloaded into `folder`, weights read where they are, by ranges."""

    def __init__(
        self, name: str, commit: str, folder: Path, *, endpoint: str | None = None, token: str | None = None
    ) -> None:
        """List the commit's files. Raises as resolve_commit."""
        self._name, self._commit, self._folder, self._endpoint = name, commit, folder, endpoint
        self._token = token
        api = HfApi(endpoint, token=token)
        info = ask_hub(
            name, commit, lambda: api.model_info(name, revision=commit, files_metadata=True, timeout=ANSWER_TIMEOUT)
        )
        self._sizes = {each.rfilename: each.size for each in info.siblings or ()}

    def open_file(self, name: str) -> BinaryIO:
        """Open a file. Raises ObjectNotFound, and as resolve_commit."""
        if name not in self._sizes:
            raise ObjectNotFound(f"hf://{self._name}/{name}")
        size = self._sizes[name] or self._ask_for_size(name)
        if name not in _SMALL or size > LARGEST_DOWNLOAD:
            return open_ranged_file(size, lambda start, end: self._fetch(name, start, end))
        download(self._name, self._commit, self._folder, files=(name,), endpoint=self._endpoint, token=self._token)
        return (self._folder / name).open("rb")

    def _ask_for_size(self, name: str) -> int:
        """Ask for one file: some mirrors list files without sizes."""
        url = hf_hub_url(self._name, name, revision=self._commit, endpoint=self._endpoint)
        answer = ask_hub(
            self._name,
            self._commit,
            lambda: get_hf_file_metadata(url, token=self._token, timeout=ANSWER_TIMEOUT),
        )
        return answer.size or 0

    def _fetch(self, name: str, start: int, end: int) -> bytes:
        url = hf_hub_url(self._name, name, revision=self._commit, endpoint=self._endpoint)
        headers = {**build_hf_headers(token=self._token), "range": f"bytes={start}-{end - 1}"}

        def read() -> bytes:
            client = get_session()
            with client.stream("GET", url, headers=headers, timeout=ANSWER_TIMEOUT, follow_redirects=True) as answer:
                hf_raise_for_status(answer)
                whole = answer.status_code != HTTPStatus.PARTIAL_CONTENT  # from a mirror that knows no ranges
                begin = start if whole else 0
                return _read_slice(answer.iter_bytes(_CHUNK), begin, begin + end - start)

        return ask_hub(self._name, self._commit, read)


def _read_slice(chunks: Iterator[bytes], start: int, end: int) -> bytes:
    """Return the bytes from start up to, not including, end; the rest is not read."""
    done, found = 0, bytearray()
    for chunk in chunks:
        found += chunk[max(start - done, 0) : end - done]
        done += len(chunk)
        if done >= end:
            break
    return bytes(found)


def ask_hub(name: str, revision: str | None, request: Callable[[], T]) -> T:
    """Call the hub and translate its errors into ours; a full disk stays an OSError."""
    try:
        return request()
    except (NO_ANSWER, OSError, *UNREADABLE) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise translate_error(name, revision, error) from error
