"""Payment cards and bank accounts, which check digits distinguish from other long numbers, and credentials."""

import re

#: Numbers that begin as those of the card networks (ISO/IEC 7812), in one piece or grouped as on cards.
CARD = re.compile(
    r"""(?<![\w.,#@$€£¥/+-])(?:
        (?:[46][0-9]{3}|5[0-8][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2})([ -]?)[0-9]{4}(?:\1[0-9]{4}){2}(?:\1[0-9]{3})?
      | 3[47][0-9]{2}([ -]?)[0-9]{6}\2[0-9]{5} | 3[0689][0-9]{2}([ -]?)[0-9]{6}\3[0-9]{4}
    )(?![\w%])(?![.,][0-9])""",
    re.VERBOSE,
)
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,29}")
#: The length of each country's IBAN (SWIFT's IBAN registry).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: ("NO",),
        16: ("BE",),
        18: ("DK", "FI", "FK", "FO", "GL", "NL", "SD"),
        19: ("MK", "SI"),
        20: ("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"),
        21: ("CH", "HR", "LI", "LV"),
        22: ("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"),
        23: ("AE", "GI", "IL", "IQ", "OM", "SO", "TL"),
        24: ("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"),
        25: ("LY", "PT", "ST"),
        26: ("IS", "TR"),
        27: ("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"),
        28: ("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"),
        29: ("BR", "EG", "PS", "QA", "UA"),
        30: ("JO", "KW", "MU"),
        31: ("MT", "SC"),
        32: ("LC",),
        33: ("RU",),
    }.items()
    for country in countries
}


def is_luhn_valid(number: str) -> bool:
    """Verify a card number's check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(char) for char in reversed(number) if char in "0123456789"]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def find_iban_end(text: str) -> int:
    """Return the length of the valid IBAN (ISO 13616) at the start of the text, 0 without one."""
    chars = [(index, char.upper()) for index, char in enumerate(text) if char not in " -"]
    length = _IBAN_LENGTHS.get(text[:2].upper(), len(chars) + 1)
    if length > len(chars) or (text + " ")[end := chars[length - 1][0] + 1].isalnum():
        return 0
    number = "".join(char for _, char in (*chars[4:length], *chars[:4]))
    return end if int("".join(str(int(char, 36)) for char in number)) % 97 == 1 else 0


CREDENTIAL = re.compile(
    r"""-----BEGIN\ (?:[A-Z0-9]{1,20}\ ){0,3}PRIVATE\ KEY(?:\ BLOCK)?-----      # PEM and PGP; a cut one to its end
            .*?(?:-----END\ (?:[A-Z0-9]{1,20}\ ){0,3}PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
      | (?<![A-Za-z0-9_-])(?:
            (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}                                 # AWS
          | gh[pousr]_[A-Za-z0-9]{36,255} | github_pat_[A-Za-z0-9_]{22,255}     # GitHub
          | glpat-[A-Za-z0-9_-]{20,255}                                         # GitLab
          | (?:sk|pk|rk)[-_](?:live_|test_|proj-|ant-|or-)[A-Za-z0-9_-]{16,255} # Stripe, OpenAI, Anthropic, OpenRouter
          | sk-[A-Za-z0-9]{32,255}                                              # OpenAI's older ones
          | xox[abeoprs]-[A-Za-z0-9-]{10,255} | xapp-[A-Za-z0-9-]{10,255}       # Slack
          | AIza[0-9A-Za-z_-]{35} | ya29\.[0-9A-Za-z_-]{20,2048}                # Google
          | hf_[A-Za-z0-9]{30,255}                                              # Hugging Face
          | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{50,255}                    # package registries
          | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}                      # SendGrid
          | [0-9]{8,10}:AA[A-Za-z0-9_-]{33}                                     # Telegram bots
          | AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{30,255}                           # X, app-only
          | eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,2048}  # JSON Web Token
        )(?![A-Za-z0-9])
      | (?<![A-Za-z0-9_])(?i:aws_secret_access_key|secret_access_key)\W{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])""",
    re.VERBOSE | re.DOTALL,
)
