"""SPDY as the API server speaks it to a kubelet, by a client of the test's own."""

import asyncio
import struct
import zlib

from tweetbot_cluster.node.port_forward import Pairs
from tweetbot_cluster.node.spdy import DICTIONARY, Connection, Stream


def block(compressor: "zlib._Compress", **headers: str) -> bytes:
    plain = struct.pack(">I", len(headers))
    for name, value in headers.items():
        plain += b"".join(struct.pack(">I", len(word)) + word for word in (name.encode(), value.encode()))
    return compressor.compress(plain) + compressor.flush(zlib.Z_SYNC_FLUSH)


def syn_stream(number: int, headers: bytes, flags: int = 0) -> bytes:
    content = struct.pack(">IIH", number, 0, 0) + headers
    return struct.pack(">HHI", 0x8003, 1, flags << 24 | len(content)) + content


def data(number: int, content: bytes, flags: int = 0) -> bytes:
    return struct.pack(">II", number, flags << 24 | len(content)) + content


def test_the_dictionary_is_that_of_the_protocol() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


async def test_streams_open_with_their_headers_and_end_by_a_flag() -> None:
    opened: list[Stream] = []
    connection = Connection(lambda answer: None, opened.append)
    compressor = zlib.compressobj(zdict=DICTIONARY)
    frames = syn_stream(1, block(compressor, streamtype="error", port="80"), 1)
    frames += syn_stream(3, block(compressor, streamtype="data", port="80")) + data(3, b"hello") + data(3, b" gull", 1)
    for begin in range(0, len(frames), 7):  # as a network would cut them
        connection.feed_data(frames[begin : begin + 7])
    error, content = opened
    assert (error.headers["streamtype"], content.headers["port"]) == ("error", "80")
    assert await error.reader.read() == b""
    assert await content.reader.read() == b"hello gull"


async def test_a_pair_of_streams_reaches_the_port_and_brings_the_answer_back() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read(100)).upper())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port, sent = str(server.sockets[0].getsockname()[1]), list[bytes]()
    pairs = Pairs()
    for number, kind in ((1, "error"), (3, "data")):
        stream = Stream(number, {"streamtype": kind, "port": port, "requestid": "0"}, sent.append)
        stream.reader.feed_data(b"hello")
        pairs.add(stream)
    async with asyncio.timeout(10):
        while sent[-1:] != [data(1, b"", 1)]:
            await asyncio.sleep(0.01)
    await pairs.end()
    server.close()
    assert sent == [data(3, b"HELLO"), data(3, b"", 1), data(1, b"", 1)]


async def test_a_port_that_nobody_listens_on_is_an_error_of_the_pair() -> None:
    sent: list[bytes] = []
    pairs = Pairs()
    for number, kind in ((1, "error"), (3, "data")):
        pairs.add(Stream(number, {"streamtype": kind, "port": "1", "requestid": "0"}, sent.append))
    async with asyncio.timeout(10):
        while len(sent) < 3:
            await asyncio.sleep(0.01)
    assert b"failed to connect to localhost:1" in sent[0]
