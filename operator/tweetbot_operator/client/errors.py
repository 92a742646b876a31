"""What can go wrong at the API server, named after what it means for the pass that asked.

ApiError
├── Missing      404: the object is gone; look again
├── Conflict     409 on a write planned from an older state: read again, plan again, never resend
├── AlreadyExists    409 on a creation: an object of that name exists
├── NotLeader   another replica may act by now: nothing was sent
├── Refused      400, 403, 422 on a creation: trying the same again cannot help at once; the message says why
│   ├── Invalid          422: the object breaks a rule, or a JSON patch's test does not hold
│   └── NamespaceTerminating  403: nothing can be created there any more
└── Unavailable  everything else: the world must change; trying again will help
    ├── WebhookUnavailable      500 on a creation: a webhook that has a say in it does not answer
    ├── Timeout         no answer in time: the API server may itself be waiting for a webhook
    └── InternalError      500: it may pass, or be due to what was sent
"""


class ApiError(Exception):
    """The API server did not do as asked."""


class NotFound(ApiError):
    """There is no such object."""


class Conflict(ApiError):
    """The object is no longer as the write assumed."""


class AlreadyExists(ApiError):
    """An object of that name exists."""


class NotLeader(ApiError):
    """The lease is not ours, or not for long enough: nothing was sent."""


class Rejected(ApiError):
    """The API server will not have the object; the message is its own."""


class Invalid(Rejected):
    """The object breaks a rule, or is no longer as a JSON patch assumed."""


class NamespaceTerminating(Rejected):
    """The namespace is being deleted, so nothing can be created in it any more."""


class Unavailable(ApiError):
    """The API server does not answer, or asks to come back."""


class WebhookUnavailable(Unavailable):
    """The API server could not ask a webhook that it must ask; the message names it."""


class Timeout(Unavailable):
    """The API server did not answer in time."""


class InternalError(Unavailable):
    """The API server failed at this request: it may pass, or be due to what was sent."""
