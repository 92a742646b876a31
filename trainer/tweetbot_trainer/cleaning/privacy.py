"""Personal data that is replaced before training: e-mail addresses, phone and card numbers, keys.

Every pattern begins with a look-behind or a literal, so that a hostile text costs linear time.
"""

import re
from collections.abc import Callable

_KEYS = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
        (?:AKIA|ASIA)[0-9A-Z]{16}                           # AWS
      | gh[pousr]_[A-Za-z0-9]{36,255} | github_pat_[A-Za-z0-9_]{22,255}
      | (?:sk|pk|rk)[-_](?:live_|test_|proj-|ant-)?[A-Za-z0-9_-]{20,255}   # payment and model services
      | xox[abprs]-[A-Za-z0-9-]{10,255}                     # Slack
      | AIza[0-9A-Za-z_-]{35}                               # Google
      | hf_[A-Za-z0-9]{30,255}                              # Hugging Face
      | eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,2048}    # JSON Web Token
    )(?![A-Za-z0-9])""",
    re.VERBOSE,
)
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
_PHONE = re.compile(r"(?<![\w@#.,:/+(-])[+(]{0,2}[0-9][0-9 ()./-]{6,20}[0-9](?!\w)")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4}")
#: ITU-T E.164: at most fifteen digits; under nine a number is as likely a date or a sum.
_PHONE_DIGITS = range(9, 16)


def redacted(text: str) -> str:
    """Return the text with [key], [email], [card] and [phone] in place of what looks like one."""
    for pattern, looks_real, placeholder in _RULES:
        text = pattern.sub(_replacement(looks_real, placeholder), text)
    return text


def _replacement(looks_real: Callable[[str], bool], placeholder: str) -> Callable[[re.Match[str]], str]:
    return lambda match: placeholder if looks_real(match[0]) else match[0]


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign in "0123456789")


def luhn_holds(number: str) -> bool:
    """Tell whether the check digit of a card number is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(_digits(number))]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_phone(text: str) -> bool:
    """Tell whether digits are written as phone numbers are: with a prefix, or in the American three groups."""
    if _NORTH_AMERICAN.fullmatch(text):
        return True
    return len(_digits(text)) in _PHONE_DIGITS and text.startswith(("+", "(", "0"))


_RULES: tuple[tuple[re.Pattern[str], Callable[[str], bool], str], ...] = (
    (_KEYS, lambda text: True, "[key]"),
    (_EMAIL, lambda text: True, "[email]"),
    (_CARD, luhn_holds, "[card]"),
    (_PHONE, _is_phone, "[phone]"),
)
PLACEHOLDERS = tuple(placeholder for _, _, placeholder in _RULES)
