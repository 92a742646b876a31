"""A Pod's paths on the host: every mount path is a folder elsewhere, so values that name one are rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class PathMap:
    """Mount path (or the termination log's path) -> path on the host."""

    places: Mapping[str, Path]

    def rewrite(self, value: str) -> str:
        """Rewrite a value that is a path below a mount, a `:`-separated list with such paths, or `--option=path`."""
        option, equals, rest = value.partition("=")
        if value.startswith("-") and equals:
            return option + equals + self.rewrite(rest)
        return ":".join(self._host_path(part) for part in value.split(":"))

    def _host_path(self, path: str) -> str:
        """Return the host's path for the longest mount that holds `path`; other text stays as it is."""
        for place in sorted(self.places, key=len, reverse=True):
            if path == place or path.startswith(place.rstrip("/") + "/"):
                return str(self.places[place]) + path[len(place.rstrip("/")) :]
        return path


def clean(path: str) -> str:
    """Return a mount path without doubled or trailing slashes."""
    return str(PurePosixPath(path))
