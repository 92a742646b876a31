"""What can go wrong at the API server, by what it means for the pass that asked. Messages are the server's own."""


class ApiError(Exception):
    """The API server did not do as asked."""


class NotFound(ApiError):
    """404: the object does not exist."""


class Conflict(ApiError):
    """409 on a write planned from an older state: read and plan again, never resend."""


class AlreadyExists(ApiError):
    """409 on a creation: an object of that name exists."""


class NotLeader(ApiError):
    """Nothing was sent: the Lease is not ours, or not for long enough, so another replica may act."""


class Rejected(ApiError):
    """400, 403 or 422: sending the same again cannot help at once."""


class Invalid(Rejected):
    """422: the object breaks a rule, or a JSON patch's test does not hold."""


class NamespaceTerminating(Rejected):
    """403: the namespace is being deleted, so nothing can be created in it any more."""


class Unavailable(ApiError):
    """Everything else: the world must change, then trying again will help."""


class WebhookUnavailable(Unavailable):
    """500 on a creation: a webhook that must approve it does not answer; the message names it."""


class Timeout(Unavailable):
    """No answer in time: the API server may itself be waiting for a webhook."""


class InternalError(Unavailable):
    """500: it may pass, or be caused by what was sent."""
