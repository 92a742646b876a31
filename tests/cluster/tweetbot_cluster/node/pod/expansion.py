"""`$(VAR)` references in commands, arguments and env values, as the kubelet expands them."""

from __future__ import annotations

import re
from collections.abc import Mapping

# `$$` is an escaped dollar, so that `$$(VAR)` stays `$(VAR)`; a reference to an unknown variable stays as it is.
# Reference: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with every `$(VAR)` that names a known variable replaced by its value."""

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return REFERENCE.sub(replacement, text)
