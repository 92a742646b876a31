"""Files that are not UTF-8, told in words: Excel and PowerShell save UTF-16 and Windows-1252."""

import codecs

#: The longer marks come first: that of UTF-32 begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def find_wide_encoding(head: bytes) -> str | None:
    """Return the name of the encoding if a text's first bytes are those of UTF-16 or UTF-32."""
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    return marked or ("UTF-16" if b"\0" in head[:2] else None)


def describe_wrong_encoding(wrong: bytes, *, first: bool) -> str:
    """Describe what begins with a byte that is not UTF-8; `first` says that this is the first byte of its file."""
    if first and (wide := find_wide_encoding(wrong)):
        return f"not UTF-8 but {wide}"
    try:
        wrong[:1].decode("cp1252")
    except UnicodeDecodeError:
        return f"not UTF-8 (byte 0x{wrong[0]:02x})"
    return f"not UTF-8 but Windows-1252, it seems (byte 0x{wrong[0]:02x})"
