"""What counts as personal data, and what does not."""

import pytest

from tweetbot_trainer.cleaning.privacy import luhn_holds, redacted

KEYS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 12,
    "sk-" + "proj-" + "a1" * 12,
    "sk_" + "live_" + "a1" * 12,
    "xoxb-" + "1234567890-abc",
    "AIza" + "a" * 35,
    "hf_" + "a" * 34,
    "eyJ" + "a" * 20 + "." + "b" * 20 + "." + "c" * 20,
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_replaced(key: str) -> None:
    assert redacted(f"my key is {key}, ok") == "my key is [key], ok"


@pytest.mark.parametrize(
    "address", ["gull@harbour.example", "a.b+c@mail.harbour.example", "GULL_1@harbour-office.co.example"]
)
def test_mail_addresses_are_replaced(address: str) -> None:
    assert redacted(f"連絡は{address}まで") == "連絡は[email]まで"


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"])
def test_card_numbers_are_replaced(number: str) -> None:
    assert redacted(f"card {number}.") == "card [card]."


@pytest.mark.parametrize(
    "number",
    [
        "+1 202-555-0143",
        "202-555-0143",
        "(202) 555-0143",
        "1 202 555 0143",
        "+49 30 901820",
        "030 12345678",
        "+442079460018",
    ],
)
def test_phone_numbers_are_replaced(number: str) -> None:
    assert redacted(f"call {number} now") == "call [phone] now"


@pytest.mark.parametrize(
    "text",
    [
        "@gull and #tide at 10:30",
        "on 2021-04-09 it rained",
        "from 1999-2001 or 1914-18",
        "it cost 1 000 000 or 1,000,000.50",
        "4111 1111 1111 1112 fails its check digit",
        "room 101, 42 chips, 3.14159265358979",
        "id 1380371234567890123",
        "skating on ice-cold water",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_the_check_digit_follows_luhn() -> None:
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")


@pytest.mark.parametrize("text", ["a" * 200_000, "1 " * 100_000, "a@" * 100_000, "+1" * 100_000, "eyJa." * 40_000])
def test_a_hostile_text_costs_linear_time(text: str) -> None:
    assert redacted(text)
