"""A Pod can answer what it likes: the operator takes a whole report in time, or says why it has none."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from builders.progress import a_report
from tweetbot_contract.progress import REPORT_LIMIT
from tweetbot_operator.progress.client import NoReport, PodClient

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
REPORT = a_report(41, eta_seconds=754)
HEAD = b"HTTP/1.0 200 OK\r\n"


class Pod:
    """A server on a port of its own; it keeps the requests it got."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer: Answer = says(b"")
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self.answer(writer)
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def pod() -> AsyncIterator[Pod]:
    pod = Pod()
    server = await asyncio.start_server(pod.serve, "127.0.0.1", 0)
    pod.port = server.sockets[0].getsockname()[1]
    yield pod
    server.close()


def says(*parts: bytes, pause: float = 0) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def with_body(body: bytes) -> Answer:
    return says(HEAD, b"Content-Length: %d\r\n\r\n" % len(body), body)


async def ask(pod: Pod, seconds: float = 60) -> str:
    """Return why the Pod gives no report."""
    async with PodClient(pod.port, seconds) as client:
        with pytest.raises(NoReport) as caught:
            await client.fetch_report("127.0.0.1")
    return str(caught.value)


async def test_a_report_comes_whole(pod: Pod) -> None:
    pod.answer = with_body(REPORT.encode())
    async with PodClient(pod.port) as client:
        assert await client.fetch_report("127.0.0.1") == REPORT


async def test_the_request_carries_nothing_that_a_stranger_could_use(pod: Pod) -> None:
    pod.answer = with_body(REPORT.encode())
    async with PodClient(pod.port) as client:
        for _ in range(2):
            await client.fetch_report("127.0.0.1")
    names = {line.partition(b":")[0].lower() for line in pod.requests[1].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}
    assert pod.requests[1].startswith(b"GET /progress HTTP/1.1\r\n")
    assert b"\r\naccept-encoding: identity\r\n" in pod.requests[1].lower()
    assert b"\r\nconnection: close\r\n" in pod.requests[1].lower()


async def test_a_silent_pod_holds_up_no_other(pod: Pod) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await (silent if len(pod.requests) == 1 else with_body(REPORT.encode()))(writer)

    silent, pod.answer = says(b"", pause=60), answer
    async with PodClient(pod.port, 60) as client:
        first = asyncio.create_task(client.fetch_report("127.0.0.1"))
        while not pod.requests:
            await asyncio.sleep(0.01)
        assert await client.fetch_report("127.0.0.1") == REPORT
        assert not first.done()
        first.cancel()


async def test_an_answer_is_not_unpacked(pod: Pod) -> None:
    """What is small on the wire may be large in memory."""
    packed = gzip.compress(REPORT.encode())
    pod.answer = says(HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed)
    assert await ask(pod) == "its answer is not a report"


async def test_a_report_may_be_as_long_as_the_limit(pod: Pod) -> None:
    pod.answer = with_body(REPORT.encode().ljust(REPORT_LIMIT))
    async with PodClient(pod.port) as client:
        assert await client.fetch_report("127.0.0.1") == REPORT


async def test_fields_of_a_newer_trainer_are_passed_over(pod: Pod) -> None:
    pod.answer = with_body(REPORT.encode()[:-1] + b',"mood":"good"}')
    async with PodClient(pod.port) as client:
        assert await client.fetch_report("127.0.0.1") == REPORT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 4000,
        b"\xff",
        REPORT.encode()[:-9],
        REPORT.encode().replace(b":41", b":141"),
        REPORT.encode().replace(b'"Train"', b'"Sleep"'),
        REPORT.encode().replace(b":754", b":1e400"),
        REPORT.encode().replace(b'"schemaVersion":1', b'"schemaVersion":2'),
    ],
)
async def test_what_is_no_report_is_none(pod: Pod, body: bytes) -> None:
    pod.answer = with_body(body)
    assert await ask(pod) == "its answer is not a report"


LONG = b" " * REPORT_LIMIT + REPORT.encode()


@pytest.mark.parametrize("head", [b"Content-Length: %d\r\n\r\n" % len(LONG), b"\r\n"], ids=["told", "not told"])
async def test_no_more_is_read_than_a_report_has(pod: Pod, head: bytes) -> None:
    pod.answer = says(HEAD, head, LONG)
    assert await ask(pod) == f"its answer is longer than {REPORT_LIMIT} bytes"


@pytest.mark.parametrize("status", ["301 Moved", "307 Moved", "404 Not Found", "500 Error", "204 Nothing"])
async def test_only_200_is_an_answer_and_no_redirect_is_followed(pod: Pod, status: str) -> None:
    pod.answer = says(f"HTTP/1.0 {status}\r\nLocation: http://127.0.0.1:{pod.port}/elsewhere\r\n\r\n".encode())
    assert await ask(pod) == f"it answered {status[:3]}"
    assert len(pod.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        says(b""),
        says(b"\x00\x01\x02 not HTTP at all\r\n\r\n"),
        says(HEAD, b"X: " + b"x" * 100_000 + b"\r\n\r\n"),
        says(HEAD, b"Content-Length: 500\r\n\r\n", b"{"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n{}\r\n"),
        says(HEAD, b"Content-Length: -5\r\n\r\n{}"),
    ],
    ids=["hangs up", "no HTTP", "long header", "cut short", "bad chunk", "negative length"],
)
async def test_what_breaks_the_protocol_is_no_report(pod: Pod, answer: Answer) -> None:
    pod.answer = answer
    assert await ask(pod)


@pytest.mark.parametrize(
    "answer",
    [says(b"", pause=60), says(HEAD, pause=60), says(HEAD, b"\r\n", *[b" "] * 4000, pause=0.05)],
    ids=["silent", "no end", "a byte at a time"],
)
async def test_an_answer_has_its_time(pod: Pod, answer: Answer) -> None:
    pod.answer = answer
    assert await ask(pod, seconds=0.3) == "it does not answer (TimeoutError)"


async def test_where_nobody_listens_there_is_no_report(unused_tcp_port_factory: Callable[[], int]) -> None:
    pod = Pod()
    pod.port = unused_tcp_port_factory()
    assert (await ask(pod)).startswith("it does not answer (ClientConnectorError)")
