"""Translates errors of S3 and boto3 into the stage errors of runtime/errors.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning, find_meaning, shorten_words
from tweetbot_trainer.store.answers import TABLE
from tweetbot_trainer.store.interface import ObjectNotFound, StorageUnavailable, UnnamedRefusal

#: A bare 404 is not among them: proxies answer it too, and what is believed to be absent is trained again.
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound"})
#: The server cannot be reached, or its answer was cut short or damaged (IncompleteRead, checksum, half an XML).
_UNREACHABLE = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ResponseStreamingError,
    boto.FlexibleChecksumError,
    boto.MetadataRetrievalError,
    boto.CredentialRetrievalError,
    ResponseParserError,
)
_NO_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoAuthTokenError)
#: The action of making a client, in errors.
REACH = "reach"
_IF_IT_LASTS = "if it lasts, look at spec.output.s3.endpoint and at any proxy in between"


class PreconditionFailed(Exception):
    """A conditional write was refused: the object exists, or has changed."""


class ForeignAnswer(Exception):
    """What answered does not speak S3; the message says what it sent."""


def require_s3(response_dict: dict[str, Any], **_: Any) -> None:
    """Raise ForeignAnswer for a web page or a redirect in S3's place; a handler of botocore's event before-parse.

    A page with status 200 would pass for success otherwise. One with a status of 500 or more comes from a proxy whose
    server is away, and an object may be HTML itself, but then it has an ETag. A bucket is asked for by boto3 alone, to
    find its region after a redirect; without this end it would do so for each redirect, until the stack is full.
    """
    headers, status = response_dict["headers"], int(response_dict["status_code"])
    operation = response_dict["context"]["operation_name"]
    if operation == "HeadBucket" and status >= 300 and "x-amz-bucket-region" not in headers:
        raise boto.ClientError({"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPHeaders": {}}}, operation)
    kind = headers.get("content-type", "").lower()
    if 300 <= status < 400 and status != 304 and "xml" not in kind:
        target = urlsplit(headers.get("location", ""))
        raise ForeignAnswer(f"a redirect ({status}) to {target.scheme}://{target.netloc}")
    if "html" in kind and status < 500 and status != 413 and "etag" not in headers:
        if not isinstance(response_dict["body"], bytes):
            response_dict["body"].close()  # a stream, which would keep its connection open
        raise ForeignAnswer(f"a web page (status {status})")


def read_field(answer: Any, name: str) -> Any:
    """Return a field that S3 never leaves out of this answer. Raises ForeignAnswer."""
    if name not in answer:
        if "Body" in answer:
            answer["Body"].close()
        raise ForeignAnswer(f"an answer without {name}")
    return answer[name]


def require_page(page: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a list. Raises ForeignAnswer for an empty answer: it would pass for an empty folder."""
    if not page.keys() - {"ResponseMetadata", "RequestCharged"}:
        raise ForeignAnswer("an empty answer")
    return page


@contextmanager
def ask_for_code(get: Callable[[], Any]) -> Iterator[None]:
    """Let a GET say why a HEAD is refused, whose answer has no body: a 404 may also be a proxy's."""
    try:
        yield
    except boto.ClientError as error:
        if not _get_code(error) and _get_status(error) < 500:
            get()["Body"].close()
        raise


def _get_code(error: boto.ClientError) -> str:
    """Return the code of S3's answer; without one boto3 writes the status in its place."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return "" if code.isdigit() else code


def _get_status(error: boto.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def translate_errors(action: str, uri: str) -> Iterator[None]:
    """Turn errors of boto3 into StageErrors, or into PreconditionFailed."""
    try:
        yield
    except boto.ClientError as error:
        raise _translate_client_error(error, action, uri) from error
    except _NO_CREDENTIALS as error:
        advice = "give spec.output.s3.credentialsSecret, or spec.serviceAccountName with a workload identity"
        raise NotAuthorized(reasons.NOT_AUTHORIZED, f"no credentials for {uri}: {advice}") from error
    except ForeignAnswer as error:
        raise _build_foreign_error(error, action, uri) from error
    except _UNREACHABLE as error:
        if fault := find_server_fault(error, _name_server(error)):
            raise fault from error
        raise StorageUnavailable(f"S3 does not answer a request to {action} {uri}: {_get_first_line(error)}") from error
    except (boto.ParamValidationError, boto.InvalidRegionError, ValueError) as error:
        text = f"cannot {action} {uri}: {_get_first_line(error)}"
        if action == REACH or isinstance(error, boto.ParamValidationError | boto.InvalidRegionError):
            raise SpecRefused(reasons.SPEC_REFUSED, text) from error
        raise StorageUnavailable(f"{text}; {_IF_IT_LASTS}") from error  # a header of the answer that is no number


def _build_foreign_error(error: ForeignAnswer, action: str, uri: str) -> UnnamedRefusal:
    """Return what a foreign answer means: it may come from a proxy on the way, and pass."""
    advice = "write the address of the S3 API into spec.output.s3.endpoint, and look for a proxy in between"
    message = f"the answer to a request to {action} {uri} is not S3's but {error}: {advice}"
    return UnnamedRefusal(reasons.FOREIGN_ENDPOINT, message)


def _translate_client_error(error: boto.ClientError, action: str, uri: str) -> Exception:
    code, status, words = _get_code(error), _get_status(error), str(error.response.get("Error", {}).get("Message", ""))
    if status in (304, 412):  # MinIO before April 2024 answered a conditional write by 304 (minio#19442)
        return PreconditionFailed(uri)
    if code in _ABSENT:
        return ObjectNotFound(uri)
    said = f"S3 answered {code or status} to a request to {action} {uri}"
    # the code decides before the status: for an unknown key, AWS answers 403, versitygw 404 XAdminUserNotFound
    if code and (meaning := find_meaning(TABLE, code, words, action)):
        return _build_error(meaning, said, shorten_words(words), uri)
    return _build_unnamed(status, action, f"{said} ({shorten_words(words)})")


def _build_unnamed(status: int, action: str, said: str) -> TemporaryError:
    """Return what an answer means that has no code, or one that nobody knows: it may pass, whatever its status."""
    meaning = find_meaning(TABLE, str(status), said, action)
    text = f"{said}: {meaning.advice if meaning else 'it is sent again'}; {_IF_IT_LASTS}"
    if meaning and meaning.reason is not reasons.STORAGE_UNAVAILABLE:
        return UnnamedRefusal(meaning.reason, text)
    return StorageUnavailable(text) if meaning or status >= 500 else UnnamedRefusal(reasons.STORAGE_UNAVAILABLE, text)


def _build_error(meaning: Meaning, said: str, words: str, uri: str) -> StageError:
    if meaning.reason is reasons.BUCKET_NOT_FOUND:
        bucket = "/".join(uri.split("/")[:3])
        return SpecRefused(meaning.reason, f"the bucket {bucket} does not exist: create it, or correct its name")
    if meaning.error is TemporaryError and meaning.reason is reasons.STORAGE_UNAVAILABLE:
        return StorageUnavailable(f"{said}: {meaning.advice}")
    if meaning.reason is reasons.SPEC_REFUSED:
        said = f"{said} ({words})"
    return meaning.error(meaning.reason, f"{said}: {meaning.advice}")


def _name_server(error: Exception) -> str:
    address = getattr(error, "kwargs", {}).get("endpoint_url") or ""
    return urlsplit(str(address)).netloc or "the S3 endpoint"


def _get_first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
