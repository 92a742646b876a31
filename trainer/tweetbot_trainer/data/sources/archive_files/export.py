"""Opens what was uploaded by its first bytes, whatever its name."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files.entry import AllowList, Entry, Name
from tweetbot_trainer.data.sources.archive_files.foreign import find_foreign
from tweetbot_trainer.data.sources.archive_files.names import show_name
from tweetbot_trainer.data.sources.archive_files.refusals import AS_DOWNLOADED, BROKEN, build_refusal, translate_damage
from tweetbot_trainer.data.sources.archive_files.streams import FileStream, GzipStream, Stream, open_section
from tweetbot_trainer.data.sources.archive_files.tars import BLOCK, is_tar, iter_tar
from tweetbot_trainer.data.sources.archive_files.zips import has_end, iter_zip
from tweetbot_trainer.runtime.errors import SpecRefused

Form = Literal["zip", "tar.gz", "tar", "gz", "file"]
_ZIP, _GZIP = b"PK", b"\x1f\x8b"
#: The first bytes, of which a single file shows what it is.
_HEAD = 4096
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """A file that may be opened: `name` is its path, `label` what messages call it, `size` its bytes unpacked.

    `problem` is why it cannot be read.
    """

    name: str
    label: str
    size: int
    entry: Entry
    problem: SpecRefused | None = None

    def open(self) -> BinaryIO:
        """Return its content as a stream, which raises one of BROKEN for damage. Raises SpecRefused: its problem."""
        if self.problem:
            raise self.problem
        assert self.entry.open_stream is not None
        return self.entry.open_stream()

    def read(self, limit: int) -> bytes | None:
        """Return the content; None if it has more than `limit` bytes or cannot be read."""
        if self.problem or self.size > limit:
            return None
        try:
            with self.open() as content:
                return content.read(self.size)  # without a size a zip unpacks everything, whatever it says it holds
        except (SpecRefused, *BROKEN):
            return None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """What was uploaded.

    `members` are the files that the allow-list names, by its group `file`; `others` the names of the rest. `single` is
    the one file of which the upload consists, if it is no archive; `head` its first bytes.
    """

    form: Form
    members: Mapping[str, Member]
    others: tuple[str, ...] = ()
    single: Member | None = None
    head: bytes = b""


def open_export(file: BinaryIO, allowed: re.Pattern[str]) -> ExportFile:
    """Open a file that somebody uploaded. `allowed` matches whole paths, in lower case and with `/`.

    Raises SpecRefused: what the file is, if no source reads it, and what to do; SourceTruncated, SourceIncomplete,
    SourceTooLarge, SourceUnreadable.
    """
    size = file.seek(0, io.SEEK_END)
    if FileStream(file).read(len(_ZIP)) == _ZIP or has_end(file):  # of a zip nothing is read but what is asked for
        return _list_members("zip", iter_zip(file, AllowList(allowed)))
    head = FileStream(file).read(_HEAD)
    try:
        if head.startswith(_GZIP):
            return _open_gzip(GzipStream(file), allowed)
        if is_tar(head[:BLOCK]) and any(head[:BLOCK]):
            return _list_members("tar", iter_tar(FileStream(file), AllowList(allowed)))
    except BROKEN as error:
        raise translate_damage(error) from error
    if foreign := find_foreign(head, size):
        raise foreign
    return _open_single("file", FileStream(file), size, head)


def _open_gzip(stream: Stream, allowed: re.Pattern[str]) -> ExportFile:
    open_again = stream.mark()
    head = stream.read(_HEAD)
    if is_tar(head[:BLOCK]):
        return _list_members("tar.gz", iter_tar(open_again(), AllowList(allowed)))
    if head.startswith(_ZIP):
        message = "the .gz holds a zip"
        raise build_refusal(message, reasons.SOURCE_NESTED, advice="unpack it with gunzip, and upload the zip inside")
    while stream.read(_CHUNK):  # measures it, and compares its checksum
        pass
    if foreign := find_foreign(head, stream.position):
        raise SpecRefused(foreign.reason, f"in the .gz: {foreign.message}")
    return _open_single("gz", open_again(), stream.position, head)


def _open_single(form: Form, stream: Stream, size: int, head: bytes) -> ExportFile:
    open_again = stream.mark()
    entry = Entry(Name("", None), size, open_stream=lambda: open_section(open_again(), size))
    return ExportFile(form, {}, single=Member("", "it", size, entry), head=head)


def _list_members(form: Form, entries: Iterable[Entry]) -> ExportFile:
    members: dict[str, Member] = {}
    others: list[str] = []
    for entry in entries:
        path, file = entry.name.path, entry.name.file
        if file is None:
            others.append(path)
            continue
        member = Member(path, f"{path} in the {form}", entry.size, entry, entry.problem)
        members[file] = _merge(form, members[file], member) if file in members else member
    return ExportFile(form, members, tuple(others))


def _merge(form: Form, first: Member, second: Member) -> Member:
    """Return the member for two of one name: the first, if both have the same content."""
    if (first.size, first.entry.checksum) == (second.size, second.entry.checksum):
        return first
    if first.name == second.name:
        message, advice = f"the {form} holds {first.name} twice, with different content", AS_DOWNLOADED
    else:
        message = f"the {form} holds one file twice, as {show_name(first.name)} and as {show_name(second.name)}"
        advice = "upload one archive per export, and name each as a source of its own"
    return replace(first, problem=build_refusal(message, advice=advice))
