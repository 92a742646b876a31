"""A server of the model: reads latest.json again and again, and whatever it names, and believes nothing."""

import hashlib
import json
import threading
import time
from typing import Any

#: Seconds between two looks: 50 a second.
_PAUSE = 0.02


class Reader:
    """As a context manager: polls inside. `broken` says what it saw that no reader may see."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, f"{prefix}/team-a/gull"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.broken: list[str] = []
        self.looks, self.runs = 0, [0]
        """How often it looked, and the numbers of the runs that latest.json named, in order."""
        self._known: set[tuple[str, str]] = set()

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _poll(self) -> None:
        while not self._over.is_set():
            self.look()
            time.sleep(_PAUSE)

    def look(self) -> None:
        """Look once."""
        self.looks += 1
        body = self._get(f"{self._prefix}/latest.json")
        if body is None:
            return
        try:
            pointer = json.loads(body)
            self._verify(pointer)
        except (ValueError, KeyError) as error:
            self.broken.append(f"latest.json is {error!r}")

    def _verify(self, pointer: dict[str, Any]) -> None:
        if pointer["runNumber"] != self.runs[-1]:
            self.runs.append(pointer["runNumber"])
        home = pointer["uri"].partition(f"s3://{self._bucket}/")[2].removesuffix("/model")
        manifest = self._get(f"{home}/MANIFEST.json")
        if manifest is None or hashlib.sha256(manifest).hexdigest() != pointer["manifestSha256"]:
            self.broken.append(f"latest.json names {home}, whose manifest is not the one")
            return
        if (home, pointer["manifestSha256"]) not in self._known:
            self._compare(home, json.loads(manifest))
            self._known.add((home, pointer["manifestSha256"]))

    def _compare(self, home: str, manifest: dict[str, Any]) -> None:
        for path, record in manifest["files"].items():
            content = self._get(f"{home}/{path}")
            if content is None or hashlib.sha256(content).hexdigest() != record["sha256"]:
                self.broken.append(f"{home}/{path} is not what its manifest says")

    def verify_again(self) -> None:
        """Verify everything once more, as at the end nothing may have been written over."""
        self._known.clear()
        self.look()

    def _get(self, key: str) -> bytes | None:
        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        return body
