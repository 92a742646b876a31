"""Times and spans of time, as kubectl writes and reads them."""

import re
from datetime import datetime

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def format_age(then: datetime | None, now: datetime) -> str:
    """Return how long ago it was, such as 43s, 12m, 5h or 3d; empty without a time."""
    if then is None:
        return ""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    for unit, size, until in (("m", 60, 120), ("h", 3600, 48)):
        if seconds < until * size:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"


def parse_span(text: str) -> float | None:
    """Return the seconds of a span such as 5s or 1m30s; None for 0, which sets no limit. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text) or None
    if not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", text):
        raise ValueError(f"{text} is no span of time: write 5s, 2m or 1h")
    return sum(float(number) * _UNITS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(h|ms|m|s)", text))
