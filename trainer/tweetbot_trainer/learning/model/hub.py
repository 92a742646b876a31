"""The Hugging Face Hub as a place of base models: names become commits, commits become folders. No torch in here."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from huggingface_hub import HfApi, errors, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tweetbot_contract import reasons
from tweetbot_trainer.learning.model.identity import FILES
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError

#: Seconds the hub may take to answer one question about a model.
ANSWER_TIMEOUT = 30
#: What the hub's library raises without an answer: the error of whatever HTTP client it uses (httpx, httpx2).
NO_ANSWER: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]

T = TypeVar("T")


def resolve_commit(name: str, revision: str | None, *, endpoint: str | None = None) -> str:
    """Return the commit that a branch, tag or nothing names today; `endpoint` is another hub than huggingface.co.

    Raises SpecRefused where there is no such model or revision, Temporary where the hub is away.
    """
    info = ask_hub(name, revision, lambda: HfApi(endpoint).model_info(name, revision=revision, timeout=ANSWER_TIMEOUT))
    if not info.sha:
        raise TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, f"The hub names no commit for {name}.")
    return info.sha


def download(name: str, commit: str, folder: Path, *, endpoint: str | None = None) -> None:
    """Write the files of a base that we read, and nothing else, into the folder, each by the hash that the hub records
    for the commit: sha256 of large files, git's own of the others.

    Raises as resolve_commit; Temporary too where a file has other bytes, and asked again it is fetched again.
    """
    ask_hub(
        name,
        commit,
        lambda: snapshot_download(
            name, revision=commit, local_dir=folder, allow_patterns=list(FILES), endpoint=endpoint, max_workers=3
        ),
    )
    api = HfApi(endpoint)
    found = ask_hub(name, commit, lambda: api.verify_repo_checksums(name, revision=commit, local_dir=folder))
    for wrong in found.mismatches:
        (folder / wrong["path"]).unlink()
    if found.mismatches:
        first = found.mismatches[0]
        text = f"{first['path']} of hf://{name} came with other bytes than its commit records ({first['algorithm']})."
        raise TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, text)


def ask_hub(name: str, revision: str | None, question: Callable[[], T]) -> T:
    """Return the hub's answer, its errors turned into ours; a full disk stays what it is."""
    try:
        return question()
    except (HfHubHTTPError, HFValidationError, NO_ANSWER, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _translate_error(name, revision, error) from error


def _translate_error(name: str, revision: str | None, error: Exception) -> StageError:
    match error:
        case GatedRepoError():
            text = f"hf://{name} is gated, and the trainer holds no hub token: copy it to your bucket and use s3://."
            return SpecRefused(reasons.BASE_MODEL_REFUSED, text)
        case RevisionNotFoundError():
            text = f"hf://{name} has no revision {revision}: correct model.revision."
            return SpecRefused(reasons.BASE_MODEL_NOT_FOUND, text)
        case RepositoryNotFoundError() | HFValidationError():
            text = f"The Hugging Face Hub has no public model {name}: correct model.base."
            return SpecRefused(reasons.BASE_MODEL_NOT_FOUND, text)
        case _:
            text = f"The Hugging Face Hub does not answer for {name} ({type(error).__name__})."
            return TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, text)
