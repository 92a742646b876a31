"""What can go wrong at the API server, named after what it means for the pass that asked.

ApiFault
├── Missing      404: the object is gone; look again
├── Conflict     409 on a write planned from an older state: read again, plan again, never resend
├── NameTaken    409 on a creation: an object of that name exists
├── NotLeading   another replica may act by now: nothing was sent
├── Refused      400, 403, 422 on a creation: trying the same again cannot help at once; the message says why
│   ├── Invalid          422: the object breaks a rule, or a JSON patch's test does not hold
│   └── NamespaceEnding  403: nothing can be created there any more
└── ClusterBusy  everything else: the world must change; trying again will help
    ├── WebhookAway      500 on a creation: a webhook that has a say in it does not answer
    ├── TimedOut         no answer in time: the API server may itself be waiting for a webhook
    └── ServerFault      500: it may pass, or be due to what was sent
"""


class ApiFault(Exception):
    """The API server did not do as asked."""


class Missing(ApiFault):
    """There is no such object."""


class Conflict(ApiFault):
    """The object is no longer as the write assumed."""


class NameTaken(ApiFault):
    """An object of that name exists."""


class NotLeading(ApiFault):
    """The lease is not ours, or not for long enough: nothing was sent."""


class Refused(ApiFault):
    """The API server will not have the object; the message is its own."""


class Invalid(Refused):
    """The object breaks a rule, or is no longer as a JSON patch assumed."""


class NamespaceEnding(Refused):
    """The namespace is being deleted, so nothing can be created in it any more."""


class ClusterBusy(ApiFault):
    """The API server does not answer, or asks to come back."""


class WebhookAway(ClusterBusy):
    """The API server could not ask a webhook that it must ask; the message names it."""


class TimedOut(ClusterBusy):
    """The API server did not answer in time."""


class ServerFault(ClusterBusy):
    """The API server failed at this request: it may pass, or be due to what was sent."""
