"""Personal data that is replaced before training, as an ordered table of patterns, proofs and placeholders.

Every pattern begins with a look-behind or a literal and repeats within bounds, so a hostile text takes linear time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_trainer.data.cleaning import account_patterns, contact_patterns
from tweetbot_trainer.data.cleaning.account_patterns import CREDENTIAL


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One kind. `length` returns how many characters at the start of a match are personal data, 0 for none."""

    placeholder: str
    pattern: re.Pattern[str]
    length: Callable[[str], int] = len

    def redact(self, text: str) -> str:
        """Replace each finding by the placeholder."""
        return self.pattern.sub(self._replace_match, text)

    def find_all(self, text: str) -> list[str]:
        """Return what the text holds of this kind."""
        found = (match[0] for match in self.pattern.finditer(text))
        return [one[:length] for one in found if (length := self.length(one))]

    def _replace_match(self, match: re.Match[str]) -> str:
        found = match[0]
        length = self.length(found)
        return self.placeholder + found[length:] if length else found


def _measure_if(holds: Callable[[str], bool]) -> Callable[[str], int]:
    return lambda found: len(found) if holds(found) else 0


KINDS: tuple[PersonalData, ...] = (
    PersonalData("[key]", CREDENTIAL),
    PersonalData("[email]", contact_patterns.EMAIL),
    PersonalData("[iban]", account_patterns.IBAN, account_patterns.find_iban_end),
    PersonalData("[card]", account_patterns.CARD, _measure_if(account_patterns.is_luhn_valid)),
    PersonalData("[ip]", contact_patterns.IP, _measure_if(contact_patterns.is_public_ip)),
    PersonalData("[phone]", contact_patterns.PHONE, _measure_if(contact_patterns.is_phone)),
)
PLACEHOLDERS = tuple(kind.placeholder for kind in KINDS)


def redact_personal_data(text: str) -> str:
    """Replace personal data by [key], [email], [iban], [card], [ip] and [phone]."""
    for kind in KINDS:
        text = kind.redact(text)
    return text


def find_personal_data(text: str) -> list[str]:
    """Return every e-mail address, number and key in the text."""
    return [found for kind in KINDS for found in kind.find_all(text)]
