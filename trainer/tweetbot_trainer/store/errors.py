"""Translates errors of S3 and boto3 into the stage errors of runtime/errors.py."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError
from tweetbot_trainer.store.interface import ObjectNotFound, StorageUnavailable

#: The code decides before the status: for an unknown key, AWS answers 403, versitygw 404 XAdminUserNotFound.
_REFUSED_KEYS = frozenset([
    "AccessDenied", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId",
    "InvalidClientTokenId", "InvalidSecurity", "InvalidToken", "SignatureDoesNotMatch", "TokenRefreshRequired",
    "XAdminUserNotFound", "401", "403",
])  # fmt: skip
_ABSENT = frozenset({"NoSuchKey", "NotFound", "404"})
_WRONG_REGION = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_UNKNOWN_CHECKSUM = frozenset({"XAmzContentSHA256Mismatch", "MissingContentMD5", "NotImplemented", "501"})
_RETRYABLE = frozenset([
    "BadDigest", "ConditionalRequestConflict", "InternalError", "NoSuchUpload", "OperationAborted",
    "RequestTimeTooSkewed", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling",
    "ThrottlingException", "TooManyRequests", "409", "429",
])  # fmt: skip
#: The server cannot be reached, or its answer was cut short or damaged (IncompleteRead, checksum).
_UNREACHABLE = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ResponseStreamingError,
    boto.FlexibleChecksumError,
    boto.MetadataRetrievalError,
    boto.CredentialRetrievalError,
)
_NO_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoAuthTokenError)


class PreconditionFailed(Exception):
    """A conditional write was refused: the object exists, or has changed."""


@contextmanager
def translate_errors(action: str, uri: str) -> Iterator[None]:
    """Turn errors of boto3 into StageErrors, or into PreconditionFailed."""
    try:
        yield
    except boto.ClientError as error:
        raise _translate_client_error(error, action, uri) from error
    except _NO_CREDENTIALS as error:
        advice = "give output.s3.credentialsSecret, or a serviceAccountName with a workload identity"
        raise NotAuthorized(reasons.NOT_AUTHORIZED, f"no credentials for {uri}: {advice}") from error
    except _UNREACHABLE as error:
        raise StorageUnavailable(f"S3 does not answer a request to {action} {uri}: {_get_first_line(error)}") from error
    except (boto.ParamValidationError, boto.InvalidRegionError, ValueError) as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"cannot {action} {uri}: {_get_first_line(error)}") from error


def _translate_client_error(error: boto.ClientError, action: str, uri: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status == 412:
        return PreconditionFailed(uri)
    return _translate_code(code, action, uri) or _translate_status(status, code, action, uri)


def _translate_code(code: str, action: str, uri: str) -> StageError | None:
    if code == "NoSuchBucket":
        bucket = "/".join(uri.split("/")[:3])
        return SpecRefused(
            reasons.BUCKET_NOT_FOUND, f"the bucket {bucket} does not exist: create it, or correct its name"
        )
    if code in _RETRYABLE:
        return StorageUnavailable(f"S3 answered {code} to a request to {action} {uri}")
    if code in _REFUSED_KEYS:
        return NotAuthorized(reasons.NOT_AUTHORIZED, _format_refusal(code, action, uri))
    if code in _WRONG_REGION:
        return SpecRefused(reasons.SPEC_REFUSED, f"{uri} is in another region ({code}): set output.s3.region")
    if code in _UNKNOWN_CHECKSUM:
        advice = "set output.s3.checksumMode: WhenRequired"
        return SpecRefused(reasons.SPEC_REFUSED, f"the server answered {code} to a request to {action} {uri}: {advice}")
    return ObjectNotFound(uri) if code in _ABSENT else None


def _format_refusal(code: str, action: str, uri: str) -> str:
    advice = "correct the Secret or its permissions (s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket)"
    return f"S3 answered {code} to a request to {action} {uri}: {advice}"


def _translate_status(status: int, code: str, action: str, uri: str) -> StageError:
    if status >= 500:
        return StorageUnavailable(f"S3 answered {status} {code} to a request to {action} {uri}")
    if status in (401, 403):
        return NotAuthorized(reasons.NOT_AUTHORIZED, _format_refusal(code or str(status), action, uri))
    return SpecRefused(reasons.SPEC_REFUSED, f"S3 answered {status} {code} to a request to {action} {uri}")


def _get_first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
