"""A Bluesky account as the repository that its owner exported: all posts, without the network.

    commit ─▶ root of a search tree ─▶ nodes ─▶ key `app.bsky.feed.post/3k…` ─▶ record

The file is read twice: first the tree, which gives each record its key, then the records that are posts. So likes and
follows are never decoded, and ids are the same addresses as in the API. What the tree names is what the file must hold.
https://atproto.com/specs/repository
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_trainer.data.posts import Post, clean_text
from tweetbot_trainer.data.sources.answers import HEAD, find_answer
from tweetbot_trainer.data.sources.bluesky.car import Truncated, read_blocks, read_root
from tweetbot_trainer.data.sources.bluesky.dag_cbor import Link, decode_cbor
from tweetbot_trainer.data.sources.bluesky.records import POST, PROFILE, REPOST, build_repost, parse_post_record
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, ObjectReader, Profile, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

#: Enough for two million records.
SIZE_LIMIT = 1024**3
#: A node of the tree is a map with the keys `e` and `l`, in this order.
_NODE = b"\xa2\x61e"
_OWN_PROFILE = f"{PROFILE}/self"
#: Files that somebody packed.
_PACKED = {b"PK\x03\x04": "a zip", b"\x1f\x8b": "packed by gzip"}
_ADVICE = "export the repository again"

Nodes = dict[bytes, "_Node"]


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the tree: the digests of the nodes below it, and keys and digests of its wanted records."""

    below: tuple[bytes, ...]
    records: tuple[tuple[str, bytes], ...]


class BlueskyRepository:
    """The posts and reposts of an exported repository."""

    def __init__(self, spec: BlueskySource, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._spec, self._index, self._reader, self._log = spec, index, reader, log
        self._uri = spec.car or ""
        self._profile: Profile | None = None
        self._damage = DamageCount(index, prefix=f"{self._uri}: ", advice=f"{_ADVICE}, without such records")
        self._in_tree = self._older = 0

    def read_posts(self) -> Iterator[Post]:
        """Yield the newest maxPosts posts, oldest first.

        Raises SpecRefused: SourceUnreadable, SourceTruncated or SourceTooLarge.
        """
        try:
            with self._reader.open_seekable(self._uri) as file:
                did, keys = self._select_keys(file)
                records = _read_records(file, keys)
            self._profile = Profile(account_id=did, display_name=_parse_display_name(records.pop(_OWN_PROFILE, None)))
            posts = list(self._parse_posts(did, records))
            self._damage.check()
        except Truncated as error:
            message = f"{self._uri} is not whole: {error}. {reasons.SOURCE_TRUNCATED.advice}"
            raise SpecRefused(reasons.SOURCE_TRUNCATED, message) from error
        except ValueError as error:
            message = f"{self._uri} is no readable Bluesky repository: {error}; {_ADVICE}"
            raise SpecRefused(reasons.SOURCE_UNREADABLE, message) from error
        yield from posts

    def build_report(self) -> SourceReport:
        """Return the number of posts and reposts in the tree, and what was left out of them."""
        left_out = {"older": self._older, "unreadable": self._damage.damaged}
        return SourceReport(claimed=self._in_tree, left_out=left_out, warnings=self._damage.build_warnings())

    def read_profile(self) -> Profile | None:
        """Return id and name of the account; handle and picture are not in the file."""
        return self._profile

    def _select_keys(self, file: BinaryIO) -> tuple[str, dict[bytes, list[str]]]:
        """Return the account's DID, and the wanted keys by their records' digests."""
        if (size := file.seek(0, io.SEEK_END)) > SIZE_LIMIT:
            message = f"{self._uri} has {size} bytes; at most {SIZE_LIMIT} are read"
            raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
        did, tree, nodes = _read_tree(file)
        found = dict(_walk_tree(tree, nodes))
        newest = sorted((key for key in found if key != _OWN_PROFILE), key=_get_sort_key)[-self._spec.max_posts :]
        self._in_tree = len(found.keys() - {_OWN_PROFILE})
        self._older = self._in_tree - len(newest)
        if self._older:
            self._log.warning("bluesky.max_posts", message=f"{self._older} older posts and reposts were left out")
        keys: dict[bytes, list[str]] = {}
        for key in (*newest, *(found.keys() & {_OWN_PROFILE})):
            keys.setdefault(found[key], []).append(key)
        return did, keys

    def _parse_posts(self, did: str, records: dict[str, bytes]) -> Iterator[Post]:
        for key in sorted(records, key=_get_sort_key):
            try:
                post = self._parse_post(decode_cbor(records[key]), key, f"at://{did}/{key}")
            except ValueError as error:
                self._damage.add_damaged(f"the record {key}", error)
            else:
                self._damage.add_good()
                yield post

    def _parse_post(self, record: object, key: str, uri: str) -> Post:
        """Return a record as a post or repost. Raises ValueError."""
        if key.startswith(f"{REPOST}/"):
            return build_repost(_get_value(record, "createdAt"), uri=uri, source=self._index)
        post = parse_post_record(record, uri=uri, source=self._index)
        if post is None:
            raise ValueError("it has no text")
        return post


def _get_sort_key(key: str) -> tuple[str, str]:
    """Return the sorting key: the last part is a time, in every collection."""
    return key.rpartition("/")[2], key


def _read_root(file: BinaryIO) -> bytes:
    """Return the digest of the root. Raises ValueError, which says what another kind of file is."""
    file.seek(0)
    try:
        return read_root(file)
    except ValueError:
        file.seek(0)
        head = file.read(HEAD)
        if what := find_answer(head) or next((name for mark, name in _PACKED.items() if head.startswith(mark)), None):
            raise ValueError(f"it is {what}, not a CAR file") from None
        if not head:
            raise ValueError("it is empty") from None
        raise


def _read_tree(file: BinaryIO) -> tuple[str, bytes, Nodes]:
    """Return the account's DID, the digest of the tree's root, and all nodes by digest."""
    root, commit = _read_root(file), None
    nodes: Nodes = {}
    for digest, content in read_blocks(file):
        if digest == root:
            commit = decode_cbor(content)
        elif content.startswith(_NODE) and (node := _parse_node(decode_cbor(content))):
            nodes[digest] = node
    did, data = _get_value(commit, "did"), _get_value(commit, "data")
    if not isinstance(did, str) or not isinstance(data, Link):
        raise ValueError("it holds no commit of a repository")
    return did, data.digest, nodes


def _parse_node(block: object) -> _Node | None:
    """Parse a node of the tree, None for a block that only begins like one."""
    if not isinstance(block, dict) or block.keys() != {"e", "l"} or not isinstance(block["e"], list):
        return None
    below, records, key = [block["l"]], [], b""
    for entry in block["e"]:
        match entry:
            case {"p": int(shared), "k": bytes(rest), "v": Link(digest), "t": (Link() | None) as deeper}:
                key = key[:shared] + rest  # keys are stored without what they share with the one before
                below.append(deeper)
                records += [(name, digest)] if _is_wanted(name := key.decode()) else []
            case _:
                raise ValueError("a node of its tree is damaged")
    return _Node(tuple(link.digest for link in below if isinstance(link, Link)), tuple(records))


def _is_wanted(key: str) -> bool:
    return key == _OWN_PROFILE or key.startswith((f"{POST}/", f"{REPOST}/"))


def _walk_tree(tree: bytes, nodes: Nodes) -> Iterator[tuple[str, bytes]]:
    """Yield key and digest of each wanted record below the root."""
    left, seen = [tree], {tree}
    while left:
        node = nodes.get(left.pop())
        if node is None:
            raise ValueError("a part of its tree is missing")
        left += [digest for digest in node.below if digest not in seen]
        seen.update(node.below)
        yield from node.records


def _read_records(file: BinaryIO, keys: dict[bytes, list[str]]) -> dict[str, bytes]:
    """Return those wanted records by key that the file holds, not yet decoded."""
    file.seek(0)
    read_root(file)
    return {key: content for digest, content in read_blocks(file) for key in keys.get(digest, ())}


def _parse_display_name(content: bytes | None) -> str | None:
    try:
        name = clean_text(_get_value(decode_cbor(content), "displayName")) if content else None
    except ValueError:
        return None
    return name[:NAME_LIMIT] if name else None


def _get_value(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
