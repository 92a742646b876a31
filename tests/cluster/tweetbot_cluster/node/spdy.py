"""The server's side of SPDY/3.1 as far as Kubernetes speaks it: streams that a client opens, each with headers."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable

_NAMES = """
options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match
if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range
referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get
status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin
"""
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 "
    "Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May "
    "Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,"
    "image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_WORDS = [name.replace("_", " ").encode() for name in _NAMES.split()]
#: What both sides have compressed before they begin.
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word for word in _WORDS) + _REST.encode()
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GO_AWAY = 1, 2, 3, 6, 7
_FIN = 1
_CONTROL = 0x8003
_LONGEST = 2**16
Write = Callable[[bytes], None]


class Stream:
    """One stream: what the client sends is in `reader`."""

    def __init__(self, number: int, headers: dict[str, str], write: Write) -> None:
        self.number, self.headers = number, headers
        self.reader = asyncio.StreamReader()
        self._write = write

    def send(self, data: bytes) -> None:
        """Send data."""
        for begin in range(0, len(data), _LONGEST):
            self._send_frame(data[begin : begin + _LONGEST], 0)

    def finish(self) -> None:
        """Say that no more data comes."""
        self._send_frame(b"", _FIN)

    def _send_frame(self, data: bytes, flags: int) -> None:
        self._write(struct.pack(">II", self.number, flags << 24 | len(data)) + data)


class Connection:
    """Reads frames from a connection and answers them; `on_stream` is called with each stream that is opened."""

    def __init__(self, write: Write, on_stream: Callable[[Stream], None]) -> None:
        self.ended = asyncio.Event()
        self._write, self._on_stream = write, on_stream
        self._rest = b""
        self._streams: dict[int, Stream] = {}
        self._inflate, self._deflate = zlib.decompressobj(zdict=DICTIONARY), zlib.compressobj(zdict=DICTIONARY)

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what came; answers whether the connection is over, and nothing left, as aiohttp asks of a parser."""
        self._rest += data
        while len(self._rest) >= 8:
            first, second = struct.unpack_from(">II", self._rest)
            length = second & 0xFFFFFF
            if len(self._rest) < 8 + length:
                break
            content, self._rest = self._rest[8 : 8 + length], self._rest[8 + length :]
            self._handle(first, second >> 24, content)
        return self.ended.is_set(), b""

    def feed_eof(self) -> None:
        """Take note that the client is gone."""
        self.ended.set()
        for stream in self._streams.values():
            stream.reader.feed_eof()

    def _handle(self, first: int, flags: int, content: bytes) -> None:
        if first >> 16 == _CONTROL:
            self._handle_control(first & 0xFFFF, flags, content)
        elif stream := self._streams.get(first):
            stream.reader.feed_data(content)
            if flags & _FIN:
                stream.reader.feed_eof()

    def _handle_control(self, kind: int, flags: int, content: bytes) -> None:
        if kind == _SYN_STREAM:
            self._open(flags, content)
        elif kind == _RST_STREAM:
            if stream := self._streams.pop(struct.unpack_from(">I", content)[0], None):
                stream.reader.feed_eof()
        elif kind == _PING:
            self._send_control(_PING, content)
        elif kind == _GO_AWAY:
            self.feed_eof()

    def _open(self, flags: int, content: bytes) -> None:
        number = struct.unpack_from(">I", content)[0] & 0x7FFFFFFF
        stream = Stream(number, self._read_headers(content[10:]), self._write)
        self._streams[number] = stream
        if flags & _FIN:
            stream.reader.feed_eof()
        none = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._send_control(_SYN_REPLY, struct.pack(">I", number) + none)
        self._on_stream(stream)

    def _read_headers(self, block: bytes) -> dict[str, str]:
        """Read names and values, each after its length."""
        plain, words = self._inflate.decompress(block), []
        place = 4
        while place < len(plain):
            (length,) = struct.unpack_from(">I", plain, place)
            words.append(plain[place + 4 : place + 4 + length].decode())
            place += 4 + length
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    def _send_control(self, kind: int, content: bytes) -> None:
        self._write(struct.pack(">HHI", _CONTROL, kind, len(content)) + content)
