"""One model repository on the Hugging Face Hub, spoken to by the Hub's own client."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from huggingface_hub import (
    CommitOperation,
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    constants,
    get_session,
)
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.utils import build_hf_headers, disable_progress_bars, hf_raise_for_status  # type: ignore[attr-defined]

from tweetbot_trainer.learning.model.hub_errors import NO_ANSWER, UNREADABLE
from tweetbot_trainer.publishing.hub.faults import translate_fault

#: The libraries of a Pod whose base is elsewhere are kept off the Hub; here it is asked on purpose.
constants.HF_HUB_OFFLINE = False
#: The Hub's client in Rust would connect past runtime/egress.py.
constants.HF_HUB_DISABLE_XET = True
#: Seconds for an answer without files.
ANSWER_TIMEOUT = 30.0
#: Bytes that are read of a small file.
_SMALL_FILE = 64 * 1024
_NOT_FOUND = 404

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """What a repository holds at its main branch."""

    commit: str
    private: bool
    files: tuple[str, ...]


class HubRepository:
    """A model repository and a token for it. Every method raises StageError, with the Hub's words."""

    def __init__(self, name: str, token: str, *, token_place: str, endpoint: str | None = None) -> None:
        """`token_place` says where the token comes from; `endpoint` replaces huggingface.co."""
        disable_progress_bars()  # stderr carries our JSON lines
        self._api = HfApi(endpoint, token=token)
        self.name, self._token, self._token_place = name, token, token_place

    @property
    def url(self) -> str:
        """The address of the repository's page."""
        return f"{self._api.endpoint}/{self.name}"

    def read_state(self) -> RepositoryState | None:
        """Return what the repository holds; None if there is none that the token may see."""

        def ask() -> RepositoryState | None:
            try:
                info = self._api.model_info(self.name, timeout=ANSWER_TIMEOUT)
            except RepositoryNotFoundError as error:
                if error.response.status_code == _NOT_FOUND:
                    return None
                raise
            files = tuple(each.rfilename for each in info.siblings or ())
            return RepositoryState(info.sha or "", bool(info.private), files)

        return self._ask(ask)

    def read_file(self, name: str, commit: str) -> bytes:
        """Return the beginning of a small file."""
        url = f"{self.url}/resolve/{commit}/{name}"
        headers = build_hf_headers(token=self._token)

        def ask() -> bytes:
            answer = get_session().get(url, headers=headers, timeout=ANSWER_TIMEOUT, follow_redirects=True)
            hf_raise_for_status(answer)
            return bytes(answer.content[:_SMALL_FILE])

        return self._ask(ask)

    def create(self, *, private: bool) -> None:
        """Create the repository, unless it was created meanwhile."""
        self._ask(lambda: self._api.create_repo(self.name, private=private, exist_ok=True))

    def commit(self, add: Mapping[str, Path | bytes], delete: Sequence[str], *, parent: str, message: str) -> str:
        """Make one commit on top of `parent`, and return it. TemporaryError if another one came in between."""
        operations: list[CommitOperation] = [
            *(CommitOperationAdd(name, content) for name, content in add.items()),
            *(CommitOperationDelete(name) for name in delete),
        ]

        def ask() -> str:
            made = self._api.create_commit(
                self.name, operations, commit_message=message, parent_commit=parent or None, num_threads=2
            )
            return str(made.oid)

        return self._ask(ask)

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit, unless there is such a tag."""
        self._ask(lambda: self._api.create_tag(self.name, tag=name, revision=commit, exist_ok=True))

    def delete(self) -> None:
        """Delete the repository with all that it holds."""
        self._ask(lambda: self._api.delete_repo(self.name, missing_ok=True))

    def _ask(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except (NO_ANSWER, OSError, RuntimeError, *UNREADABLE) as error:
            raise translate_fault(error, self.name, self._token_place) from error
