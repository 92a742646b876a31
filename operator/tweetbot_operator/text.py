"""Text from outside, made fit for a status: one line, printable, bounded."""

#: metav1.Condition allows 32 KiB; a line that a person reads is shorter.
MESSAGE_LIMIT = 1024


def printable(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text in one line without control and direction marks, cut to `limit` characters."""
    visible = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def clause(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the same without a full stop, to go on after it."""
    return printable(text, limit).rstrip(".")
