"""Times as they stand in a status: RFC 3339, whole seconds, UTC."""

from datetime import UTC, datetime, timedelta


def stamp(moment: datetime) -> str:
    """Return the text of a moment; parts of a second are dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """Return the moment of a text that `stamp` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def after(moment: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds later."""
    return moment + timedelta(seconds=seconds)


def earliest(*moments: datetime | None) -> datetime | None:
    """Return the first of the moments that are set."""
    return min((moment for moment in moments if moment is not None), default=None)
