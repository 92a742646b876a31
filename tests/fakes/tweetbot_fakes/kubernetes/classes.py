"""The TweetBotClasses of the API server in memory, and their watch."""

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

from tweetbot_contract.class_manifest import TweetBotClass, parse_class
from tweetbot_operator.client.errors import ApiError


class ClassesFake:
    """TweetBotClasses by name; `class_faults` are raised by the next watches, one each."""

    @cached_property
    def classes(self) -> dict[str, TweetBotClass]:
        return {}

    @cached_property
    def class_faults(self) -> list[ApiError]:
        return []

    @cached_property
    def _changed(self) -> asyncio.Event:
        return asyncio.Event()

    def put_class(self, manifest: dict[str, Any]) -> None:
        """Create or edit a class, which the watch then shows."""
        parsed = parse_class(manifest)
        self.classes[parsed.name] = parsed
        self._changed.set()

    async def watch_classes(self) -> AsyncIterator[tuple[TweetBotClass, ...]]:
        while True:
            if self.class_faults:
                raise self.class_faults.pop(0)
            self._changed.clear()
            yield tuple(self.classes.values())
            await self._changed.wait()
