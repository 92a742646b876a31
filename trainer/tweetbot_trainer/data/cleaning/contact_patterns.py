"""Phone numbers, e-mail and IP addresses, and what distinguishes them from dates, prices, scores and versions."""

import ipaddress
import re

#: Nothing before or after may make it a price, a decimal, a range, a tag or part of a longer number.
_START = r"(?<![\w@#$€£¥.,:/+(*=-])"
_END = r"(?![\w%°€£$])(?![.,:/-]?[0-9])"
#: Groups of digits separated by spaces begin here: no other group goes before.
_FIRST = r"(?<![0-9][ ])"
#: What precedes a number. A look-behind has a fixed length, so each word needs two: with and without a space.
_ANNOUNCED = "|".join(
    rf"(?<={word}{space})"
    for word in (
        *(rf"\b{label}[:.]" for label in ("tel", "phone", "mobile", "cell", "fax", "whatsapp")),
        *(rf"\b{verb}[ ]me[ ]{word}" for verb in ("call", "text", "ring") for word in ("at", "on")),
        *("☎", "☎\ufe0f", "📞", "📱"),
    )
    for space in ("", "[ ]")
)
PHONE = re.compile(
    rf"""(?=[0-9+(])(?:(?i:{_ANNOUNCED})
          \+?\(?[0-9](?:[ ()./-]{{0,2}}[0-9]){{5,13}}{_END}                                   # announced
      | {_START}(?:\+[ ]?|{_FIRST}00)[1-9](?:[ ()./-]{{0,3}}[0-9]){{7,13}}{_END}             # with a country code
      | {_START}(?:1[ .-])?(?:\([2-9][0-9]{{2}}\)[ .-]?|[2-9][0-9]{{2}}[ .-])
          [2-9][0-9]{{2}}[ .-][0-9]{{4}}{_END}(?![ ][0-9])                                    # North American
      | {_START}\(0[1-9][0-9]{{0,3}}\)[ ]?[0-9]{{2,8}}(?:[ -][0-9]{{2,5}}){{0,3}}{_END}       # (030) 901820
      | {_START}0[1-9][0-9]{{0,3}}[/-][0-9]{{3,8}}(?:[ -]?[0-9]{{2,5}}){{0,2}}{_END}          # 0170/1234567
      | {_START}{_FIRST}0[1-9][0-9]{{0,3}}(?:[ ][0-9]{{2,8}}){{1,4}}{_END}(?![ ][0-9])        # 020 7946 0018
      | {_START}0[1-9](?:([.-])[0-9]{{2}})(?:\1[0-9]{{2}}){{3}}{_END}(?!\1[0-9])              # 01.23.45.67.89
      | {_START}(?<!ISBN[ ])(?<!ISBN:[ ])0[1-9][0-9]{{8,9}}{_END}                             # 07911123456
    )""",
    re.VERBOSE,
)
#: ITU-T E.164 allows fifteen digits; with fewer than seven a number may be anything.
_DIGITS = range(7, 16)
#: With a leading 0 and no country code, a number has at least nine.
_NATIONAL_DIGITS = range(9, 13)
_NORTH_AMERICAN = re.compile(r"1[2-9][0-9]{2}[2-9][0-9]{6}")
_COUNTED_UP = "01234567890"
_DATE = re.compile(r"[0-9]{1,2}([ ./-])[0-9]{1,2}\1(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}([ ./-])[0-9]{1,2}\2[0-9]{1,2}")
_LONG_GROUP = re.compile(r"[0-9]{3}|[0-9]{2}(?:[ .-][0-9]{2}){4}")


def is_phone(text: str) -> bool:
    """Tell whether a match of `PHONE` can be one: enough digits, no round sum, no date, no counting up."""
    digits = "".join(char for char in text if char in "0123456789")
    international = text.startswith(("+", "00"))
    if len(digits) not in (_NATIONAL_DIGITS if digits[0] == "0" and not international else _DIGITS):
        return False
    if digits.endswith("00000") or text in _COUNTED_UP or _DATE.match(text) or not _LONG_GROUP.search(text):
        return False
    if international and (number := digits.removeprefix("00"))[0] == "1":
        return _NORTH_AMERICAN.fullmatch(number) is not None
    return not all(group.endswith("00") for group in re.findall("[0-9]+", text))


#: Latin, Greek and Cyrillic letters: those of other scripts may follow an address without a space.
_LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
EMAIL = re.compile(
    rf"(?<![{_LETTER}0-9._%+@-])[{_LETTER}0-9._%+-]{{1,64}}(?:@|[ ]?[(\[](?:at|AT)[)\]][ ]?)"
    rf"(?:[{_LETTER}0-9-]{{1,63}}\.){{1,8}}[{_LETTER}]{{2,24}}(?![{_LETTER}0-9_@])"
)
#: Four-part numbers after one of these words are versions of programs.
_NO_VERSION = "".join(rf"(?<!{word} )" for word in ("version", "revision", "release", "build", "firmware", "kernel"))
IP = re.compile(
    rf"(?<![\w.:-])(?i:{_NO_VERSION})"
    r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-])(?!\.[0-9])"
    r"|[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:]))"
)


def is_public_ip(text: str) -> bool:
    """Tell whether this is a public address, and no version number such as 1.2.3.4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and any(len(part) > 1 for part in text.split("."))
