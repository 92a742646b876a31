"""Addresses of people and machines: e-mail and IP."""

import ipaddress
import re

#: Letters of Latin, Greek and Cyrillic: others follow an address without a space.
_LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
EMAIL = re.compile(
    rf"(?<![{_LETTER}0-9._%+@-])[{_LETTER}0-9._%+-]{{1,64}}(?:@|[ ]?[(\[](?:at|AT)[)\]][ ]?)"
    rf"(?:[{_LETTER}0-9-]{{1,63}}\.){{1,8}}[{_LETTER}]{{2,24}}(?![{_LETTER}0-9_@])"
)
#: Numbers in four parts that such a word announces are a program's.
_NO_VERSION = "".join(rf"(?<!{word} )" for word in ("version", "revision", "release", "build", "firmware", "kernel"))
IP = re.compile(
    rf"(?<![\w.:-])(?i:{_NO_VERSION})"
    r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-])(?!\.[0-9])"
    r"|[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:]))"
)


def is_public_ip(text: str) -> bool:
    """Tell whether this is somebody's address: a public one, and no version number such as 1.2.3.4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and any(len(part) > 1 for part in text.split("."))
