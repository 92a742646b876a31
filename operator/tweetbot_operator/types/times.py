"""Times as objects of the API hold them (RFC 3339, UTC), pauses, and texts that fit a status."""

from datetime import UTC, datetime, timedelta


def format_time(moment: datetime) -> str:
    """Return the text of a moment; parts of a second are dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """Return metav1.MicroTime, the form that Leases and Events need."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Parse RFC 3339, with or without fractions of a second."""
    return datetime.fromisoformat(text).astimezone(UTC)


def add_seconds(moment: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds later."""
    return moment + timedelta(seconds=seconds)


def get_earliest(*moments: datetime | None) -> datetime | None:
    """Return the first of the moments that are set."""
    return min((moment for moment in moments if moment is not None), default=None)


def compute_backoff(attempt: int, first: float, longest: float) -> float:
    """Return the pause after the attempt of this number (from 1): doubled from `first` up to `longest`."""
    return min(first * 2.0 ** min(attempt - 1, 30), longest)


#: metav1.Condition allows 32 KiB; a line that a person reads is shorter.
MESSAGE_LIMIT = 1024


def make_printable(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text in one line without control and direction marks, cut to `limit` characters."""
    visible = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sanitize(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the same without a full stop, to go on after it."""
    return make_printable(text, limit).rstrip(".")
