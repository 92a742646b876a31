"""Languages as networks label them, in the form that filter.languages has."""

import re

_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_]|$)")


def language_of(tag: object) -> str | None:
    """Return the language of a BCP 47 tag such as `pt-BR`, its region left off; None where there is none."""
    match = _LANGUAGE.match(tag.lower()) if isinstance(tag, str) else None
    return match[0] if match else None
