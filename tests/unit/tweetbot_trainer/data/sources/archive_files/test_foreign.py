"""Files of another kind, known by their first bytes; test_uploads.py has the whole sentences of the usual ones."""

import pytest

from tweetbot_trainer.data.sources.archive_files.foreign import find_foreign

ENCRYPTED, TRUNCATED, UNREADABLE, OTHER = "SourceEncrypted", "SourceTruncated", "SourceUnreadable", "SourceNotAnExport"


@pytest.mark.parametrize(
    ("head", "reason", "words"),
    [
        (b"\xfd7zXZ\0\0\4", UNREADABLE, "packed as .xz"),
        (b"\x04\x22\x4d\x18\x64", UNREADABLE, "packed as .lz4"),
        (b"LZIP\1", UNREADABLE, "packed as .lz,"),
        (b"\x1f\x9d\x90", UNREADABLE, "packed as .Z"),
        (b"xar!\0\x1c", UNREADABLE, "of macOS"),
        (b"MSCF\0\0", UNREADABLE, "packed as .cab"),
        (b"-----BEGIN PGP MESSAGE-----", ENCRYPTED, "decrypt it first"),
        (b"age-encryption.org/v1\n", ENCRYPTED, "decrypt it first"),
        (b"version https://git-lfs.github.com/spec/v1\n", OTHER, "git lfs pull"),
        (b"L\0\0\0\x01\x14\x02\0", OTHER, "a shortcut"),
        (b"book\0\0\0\0mark", OTHER, "a shortcut"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC', OTHER, "a shortcut"),
        (b'{"url":"https://docs.google.com/x","doc_id":"1"}', OTHER, "a placeholder of Google Drive"),
        (b"Salted__\1\2\3", ENCRYPTED, "decrypt it first"),
        (b"bplist00\xd1\1\2SURL_\x10\x11https://x.com", OTHER, "a shortcut"),
        (b"bplist00\xd3\1\2\3YNSURLName", OTHER, "a placeholder of iCloud"),
        (b"\0\5\x16\7\0\2", OTHER, "has no ._ before it"),
        (b'--------d74496d\r\nContent-Disposition: form-data; name="file"', UNREADABLE, "by -T instead of -F"),
        (b"UEsDBBQAAAAI", UNREADABLE, "base64 -d"),
        (b"%PDF-1.7", OTHER, "a PDF"),
        (b"\x89PNG\r\n", OTHER, "a picture"),
        (b"\xff\xd8\xff\xe0", OTHER, "a picture"),
        (b"\0\0\0\x20ftypisom", OTHER, "a film"),
        (b"SQLite format 3\0", OTHER, "a database"),
        (b"\xfe\xff\0w", UNREADABLE, "UTF-16"),
        (b"\xef\xbb\xbf \n<HTML>", OTHER, "a web page"),
        (b"<Error><Code>NoSuchKey</Code>", OTHER, "(NoSuchKey)"),
        (b'{"message": "Forbidden"}', OTHER, 'a server\'s answer ({"message": "Forbidden"})'),
        (b"\0" * 512, TRUNCATED, "begins with zeros"),
        (b"\x7fELF\2\1\1\0", UNREADABLE, "(it begins with 7f 45 4c 46 02 01 01 00)"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(head: bytes, reason: str, words: str) -> None:
    refusal = find_foreign(head, 4000)
    assert refusal is not None
    assert refusal.reason.name == reason
    assert words in refusal.message
    assert "; " in refusal.message


@pytest.mark.parametrize(
    "head",
    [
        b"window.YTD.tweets.part0 = [",
        b'{"@context":"https://www.w3.org/ns/activitystreams"',
        b"[]",
        b"BZh",
        b"\xc3\xa4",
    ],
)
def test_text_is_left_to_the_source(head: bytes) -> None:
    assert find_foreign(head, 4000) is None
