"""Why a report of progress is not taken, each with the HTTP status that says so. The trainer goes on in any case.

ReportRefused
├── Unreadable        400: the body is not KEP-2779's
├── NotAuthenticated  401: no token, or one that the cluster did not sign for this run
├── NotThisRun        403: a good token, of a Pod that does not train this run
├── Outdated          409: the Pod has reported a later step already, or is not the run's newest
├── TooMany           429: more reports than a Pod may send
└── NotNow            503: this replica does not lead, or the API server gives no keys
"""


class ReportRefused(Exception):
    """The report changes nothing; the message says why."""

    status = 400


class Unreadable(ReportRefused):
    """The body is not what KEP-2779 says."""


class NotAuthenticated(ReportRefused):
    """The sender is not known."""

    status = 401


class NotThisRun(ReportRefused):
    """The sender is known and has no part in this run."""

    status = 403


class Outdated(ReportRefused):
    """Something newer is known."""

    status = 409


class TooMany(ReportRefused):
    """The Pod reports too often."""

    status = 429


class NotNow(ReportRefused):
    """Trying again later can help."""

    status = 503
