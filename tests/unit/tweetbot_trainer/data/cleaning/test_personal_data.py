"""What counts as personal data, and what must stay as it is."""

import pytest

from tweetbot_trainer.data.cleaning.account_patterns import is_luhn_valid
from tweetbot_trainer.data.cleaning.personal_data import redact_personal_data

#: In two parts each, so that no scanner takes this file for a leak.
KEYS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ASIA" + "IOSFODNN7EXAMPLE",
    "aws_secret_access_key" + " = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 12,
    "glpat-" + "a1" * 10,
    "sk-" + "proj-" + "a1" * 12,
    "sk-" + "a1" * 24,
    "sk_" + "live_" + "a1" * 12,
    "xoxb-" + "1234567890-abc",
    "AIza" + "a" * 35,
    "ya29." + "a1" * 20,
    "hf_" + "a" * 34,
    "npm_" + "a1" * 18,
    "pypi-" + "a1" * 30,
    "SG." + "a1" * 11 + "." + "b1" * 21,
    "123456789:" + "AA" + "b" * 33,
    "A" * 21 + "%" * 2 + "b1" * 20,
    "eyJ" + "a" * 20 + "." + "b" * 20 + "." + "c" * 20,
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow/+=\nAAAA\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----",
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_replaced(key: str) -> None:
    assert redact_personal_data(f"my key is {key}, ok") == "my key is [key], ok"


def test_a_private_key_that_was_cut_goes_to_its_end() -> None:
    assert redact_personal_data("oops -----BEGIN " + "PRIVATE KEY----- MIIEow/+= AAAA") == "oops [key]"


@pytest.mark.parametrize(
    "address",
    [
        "gull@harbour.example",
        "a.b+c@mail.harbour.example",
        "GULL_1@harbour-office.co.example",
        "müller@exämple.example",
        "gull (at) harbour.example",
        "gull[at]harbour.example",
    ],
)
def test_mail_addresses_are_replaced(address: str) -> None:
    assert redact_personal_data(f"連絡は{address}まで") == "連絡は[email]まで"


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111111111111111",
        "5555555555554444",
        "2223003122003222",
        "6011111111111117",
        "3530111333300000",
        "3782 822463 10005",
        "378282246310005",
        "30569309025904",
    ],
)
def test_card_numbers_are_replaced(number: str) -> None:
    assert redact_personal_data(f"card {number}.") == "card [card]."


@pytest.mark.parametrize(
    "number",
    [
        "DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "gb29nwbk60161331926819",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    ],
)
@pytest.mark.parametrize("after", ["", " please", " NOW 100 EUROS", "."])
def test_account_numbers_are_replaced_and_what_follows_stays(number: str, after: str) -> None:
    assert redact_personal_data(f"send it to {number}{after}") == f"send it to [iban]{after}"


@pytest.mark.parametrize("address", ["81.2.69.142", "2a00:1450:4001:81b::200e", "2001:4860:4860:0:0:0:0:8888"])
def test_public_ip_addresses_are_replaced(address: str) -> None:
    assert redact_personal_data(f"from {address}, he says") == "from [ip], he says"


@pytest.mark.parametrize(
    "number",
    [
        "+1 202-555-0143",
        "+1 (202) 555-0143",
        "+12025550143",
        "202-555-0143",
        "202.555.0143",
        "(202) 555-0143",
        "1 202 555 0143",
        "1-800-555-0199",
        "+49 30 901820",
        "+49 (0) 170 1234567",
        "0049 170 1234567",
        "030 12345678",
        "(030) 901820",
        "0170/1234567",
        "020 7946 0018",
        "07911 123456",
        "07911123456",
        "01 23 45 67 89",
        "01.23.45.67.89",
        "06-12345678",
        "03 9123 4567",
        "090-1234-5678",
        "+81 90-1234-5678",
        "+442079460018",
        "+86 138 0013 8000",
    ],
)
def test_phone_numbers_are_replaced(number: str) -> None:
    assert redact_personal_data(f"call {number} now") == "call [phone] now"


@pytest.mark.parametrize(
    "announced", ["tel: ", "Phone:", "WhatsApp: ", "call me at ", "text me on ", "☎️ ", "📞", "fax. "]
)
def test_an_announced_number_may_be_shorter(announced: str) -> None:
    assert redact_personal_data(f"so {announced}555-0143 ok") == f"so {announced}[phone] ok"


@pytest.mark.parametrize(
    "text",
    [
        "@gull and #tide at 10:30",
        "#20210409 #123456789 @user12345678",
        "on 2021-04-09 it rained",
        "2021-04-09 10:30:45",
        "09.04.2021 - 12.04.2021",
        "01/02/2021 10:30",
        "01/02/2021 10 people",
        "01 02 2021 10 people",
        "7.5.2019 18:00-21:00",
        "from 1999-2001 or 1914-18",
        "(1939-1945) and (1914-1918)",
        "(1990-1995) 12 days",
        "2019/20 2020/21 2021/22",
        "the 1990s 2000s 2010s",
        "1984 2001 2010 3001",
        "it cost 1 000 000 or 1,000,000.50",
        "$1,234,567.89 or 1.234.567,89 €",
        "€ 100000000 or 1234567890€",
        "£10,000 - £20,000",
        "5,000,000-6,000,000",
        "200 300 4000",
        "+1000000000 respect",
        "+1 000 000 000 and +10000000000 aura",
        "2-1 3-0 0-0 4-4 1-1",
        "0-6 6-0 7-5 6-7 6-4",
        "3-6-9-12-15-18-21",
        "05 12 23 31 40 07",
        "(1) 20 (2) 30 (3) 40 (4) 50",
        "0123456789 and 1234567890",
        "100% 200% 300%",
        "1/2 3/4 5/8 and 24/7/365",
        "route 66 to 90210-1234",
        "5'11 180 cm 75 kg 1999",
        "911 and 112 and 8675309",
        "hotel: 1234567",
        "call me at 10",
        "phone: 2021-04-09",
        "ISBN 0306406152 and 978-3-16-148410-0",
        "room 101, 42 chips, 3.14159265358979",
        "0.123456789 and 0.0000012345",
        "1e10 0x7fffffff 0b10101010",
        "4111 1111 1111 1112 fails its check digit",
        "id 1380371234567890123 or 4980371234567890128",
        "it is in DE89 now",
        "NO12 MORE MONDAYS PLEASE I BEG YOU",
        "DE89 3704 0044 0532 0130 01 fails its check digits",
        "v1.2.3.4 and 1.2.3.4 and 300.1.20.3",
        "revision 1.17.2.7 and Version 5.15.0.91",
        "192.168.0.1 and 10.15.7.1 and 127.0.0.1",
        "std::map and a::b and 12:30:45 and 2001:db8::1",
        "@gull@harbour.example is a name on the Fediverse",
        "E=mc2 and x@y and me@home",
        "no sk-8 nor sk-ating on ice-cold water",
        "eyJoy.is.everywhere",
        "task-force-one-hundred-and-eleven-is-back",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_personal_data(text) == text


def test_the_check_digit_follows_luhn() -> None:
    assert is_luhn_valid("79927398713")
    assert not is_luhn_valid("79927398710")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "1 " * 100_000,
        "a@" * 100_000,
        "+1" * 100_000,
        "eyJa." * 40_000,
        "DE89" * 50_000,
        "DE89 " * 40_000,
        "a.b@c." * 40_000,
        "-----BEGIN " * 20_000,
        "-----BEGIN PRIVATE KEY-----" * 8_000,
        "2001:" * 40_000,
        "tel: 1" * 40_000,
        "A" * 200_000,
    ],
)
def test_a_hostile_text_costs_linear_time(text: str) -> None:
    assert redact_personal_data(text)
