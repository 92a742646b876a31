"""Answers that come piece by piece, as server-sent events, and end when the client goes away."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse

_LOG = logging.getLogger("uvicorn.error")
T = TypeVar("T")


class ClientGone(Exception):
    """Nobody waits for the answer."""


async def end_with_client(request: Request, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the items, and close them when the client goes away. Raises ClientGone then, and what the items raise."""
    gone = asyncio.ensure_future(_wait_until_gone(request))
    async with aclosing(items):
        try:
            while True:
                step = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({gone, step}, return_when=asyncio.FIRST_COMPLETED)
                    if not step.done():
                        raise ClientGone
                    item = step.result()
                except StopAsyncIteration:
                    return
                finally:
                    await _cancel(step)
                yield item
        finally:
            await _cancel(gone)


async def begin(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Take the first item now, so that what it raises is an answer of its own, and return all of them."""
    first = await anext(items, None)

    async def continue_items() -> AsyncGenerator[T, None]:
        async with aclosing(items):
            if first is not None:
                yield first
            async for item in items:
                yield item

    return continue_items()


def build_stream(chunks: AsyncIterator[str], failure: str) -> StreamingResponse:
    """Return the answer that sends the chunks as they come, and `failure` at a bug, which the log gets."""

    async def send_chunks() -> AsyncIterator[str]:
        try:
            async for chunk in chunks:
                yield chunk
        except ClientGone:
            pass
        except Exception:  # noqa: BLE001  # the answer has begun: nobody else can say it
            _LOG.exception("A stream broke off")
            yield failure

    return StreamingResponse(send_chunks(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def format_event(content: Any, name: str | None = None) -> str:
    """Format a server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(content, ensure_ascii=False)}\n\n"


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _cancel(task: "asyncio.Future[Any]") -> None:
    """Cancel what is not done, and wait until it is."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
