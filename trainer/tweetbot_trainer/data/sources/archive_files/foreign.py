"""What a file is that no source reads, by its first bytes."""

import re
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.data.sources.archive_files.refusals import PACK_AGAIN, UPLOAD_AGAIN, build_refusal
from tweetbot_trainer.runtime.errors import SpecRefused

_PAGE = "open it in a browser to see which, and upload the export's own file instead"
_DOWNLOAD = "download the export again, and open it before you upload it"
_OTHER = "upload the export itself"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: what its first bytes match, what it is, and what to do."""

    head: re.Pattern[bytes]
    what: str
    advice: str
    reason: Reason = reasons.SOURCE_NOT_AN_EXPORT


def _build_packing(head: bytes, name: str) -> _Kind:
    return _Kind(re.compile(head, re.DOTALL), f"it is packed as {name}, which is not read", PACK_AGAIN, _UNREADABLE)


def _build_kind(head: bytes, what: str, advice: str, reason: Reason = reasons.SOURCE_NOT_AN_EXPORT) -> _Kind:
    return _Kind(re.compile(head, re.DOTALL | re.IGNORECASE), what, advice, reason)


_UNREADABLE, _LOCKED = reasons.SOURCE_UNREADABLE, reasons.SOURCE_ENCRYPTED
_SPACE = rb"(?:\xef\xbb\xbf)?\s*"
_KINDS = (
    _build_packing(rb"7z\xbc\xaf\x27\x1c", ".7z"),
    _build_packing(rb"Rar!\x1a\x07", ".rar"),
    _build_packing(rb"\x28\xb5\x2f\xfd", ".zst"),
    _build_packing(rb"\xfd7zXZ\0", ".xz"),
    _build_packing(rb"BZh[1-9]1AY&SY", ".bz2"),
    _build_packing(rb"\x04\x22\x4d\x18", ".lz4"),
    _build_packing(rb"LZIP", ".lz"),
    _build_packing(rb"\x1f\x9d", ".Z"),
    _build_packing(rb"xar!|\x78\x01\x73\x0d\x62\x62\x60", "a disk image or installer of macOS"),
    _build_packing(rb"MSCF\0", ".cab"),
    _build_kind(
        rb".{1,4}\xa2(?:eroots|gversion)",
        "it is a repository of Bluesky, not an archive",
        "give it as a source of the kind bluesky, in the field car",
    ),
    _build_kind(
        rb"-----BEGIN PGP MESSAGE|age-encryption\.org/|Salted__", "it is encrypted", "decrypt it first", _LOCKED
    ),
    _build_kind(
        rb"bplist00.*NSURL",
        "it is a placeholder of iCloud, which has the file itself",
        "choose Download Now on it in Finder, and upload the file that comes",
    ),
    _build_kind(
        rb"version https://git-lfs",
        "it is a pointer of Git LFS, not the file itself",
        "run `git lfs pull`, and upload the file that comes",
    ),
    _build_kind(
        rb"\[InternetShortcut\]|L\0\0\0\x01\x14\x02\0|bplist00|book\0\0\0\0mark|"
        + _SPACE
        + rb"<\?xml[^<]*<!DOCTYPE plist",
        "it is a shortcut to a file or page, not the file itself",
        "upload the file that it leads to",
    ),
    _build_kind(
        _SPACE + rb'\{"(?:url|doc_id|resource_id)":.*(?:doc_id|docs\.google)',
        "it is a placeholder of Google Drive, not the file itself",
        "download the file from Drive, and upload what comes",
    ),
    _build_kind(
        rb"\0\x05\x16\x07",
        "it is what macOS keeps beside a file, under a name that begins with ._",
        "upload the file whose name has no ._ before it",
    ),
    _build_kind(
        rb"--+[\w'-]+\r?\nContent-",
        "it is a form (multipart) with the file inside",
        "upload the file itself: with curl, by -T instead of -F",
        _UNREADABLE,
    ),
    _build_kind(
        rb"UEsDB|H4sI",
        "it is an archive written as text (base64)",
        "decode it with `base64 -d`, and upload what comes",
        _UNREADABLE,
    ),
    _build_kind(rb"%PDF-", "it is a PDF", _OTHER),
    _build_kind(rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "it is a picture", _OTHER),
    _build_kind(rb"....ftyp", "it is a film", _OTHER),
    _build_kind(rb"SQLite format 3\0", "it is a database of SQLite", _OTHER),
    _build_kind(
        rb"\xff\xfe|\xfe\xff",
        "it is text in UTF-16, as Windows' editors save it",
        "save it as UTF-8, or upload the export as it was downloaded",
        _UNREADABLE,
    ),
)
_HTML = re.compile(_SPACE + rb"(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body)", re.DOTALL | re.IGNORECASE)
_XML_ERROR = re.compile(_SPACE + rb"(?:<\?xml[^>]*>\s*)?<Error\b[^>]*>.*?<Code>\s*(\w{1,40})", re.DOTALL)
_JSON_ERROR = re.compile(_SPACE + rb'\{\s*"(?:errors?|message|detail|title|__type|code)"\s*:', re.IGNORECASE)


def find_foreign(head: bytes, size: int) -> SpecRefused | None:
    """Return why a file of this size cannot be an export, None for text, which a source must judge."""
    if not size:
        what = (
            "it is empty (0 bytes): its download or upload did not get through, or a cloud drive keeps the file itself"
        )
        return build_refusal(what, reasons.SOURCE_TRUNCATED, advice="download it to a disk, and upload it again")
    if found := next((kind for kind in _KINDS if kind.head.match(head)), None):
        return build_refusal(found.what, found.reason, advice=found.advice)
    if not any(head):
        message = f"it has {size} bytes, but begins with zeros: its download was not finished"
        return build_refusal(message, reasons.SOURCE_TRUNCATED, advice=UPLOAD_AGAIN)
    if answer := _find_answer(head):
        return build_refusal(answer, reasons.SOURCE_NOT_AN_EXPORT, advice=_DOWNLOAD)
    if _HTML.match(head):
        what = "it is a web page, not an export: a login, a warning, or one of the export's own pages"
        return build_refusal(what, reasons.SOURCE_NOT_AN_EXPORT, advice=_PAGE)
    if b"\0" in head:
        return build_refusal(f"it is neither a zip, nor a .tar.gz, nor text (it begins with {head[:8].hex(' ')})")
    return None


def _find_answer(head: bytes) -> str | None:
    """Return what a server answered in place of the file."""
    if error := _XML_ERROR.match(head):
        return f"it is an error of a store ({error[1].decode()}), which was saved in place of the file"
    if _JSON_ERROR.match(head):
        shown = " ".join(head[:80].decode("utf-8", "replace").split())
        return f"it is a server's answer ({shown}), which was saved in place of the file"
    return None
