"""Links go, what stood around them stays readable."""

import pytest

from tweetbot_trainer.data.cleaning.modern import remove_links


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("look HTTPS://T.CO/Abc now", "look   now"),
        ("look at www.harbour.example/tides now", "look at   now"),
        ("look pic.twitter.com/AbC", "look  "),
        ("look t.co/abc youtu.be/x now", "look     now"),
        ("cut off https:/… end", "cut off   end"),
        ("cut off https://t.co/ab…", "cut off  "),
        ("cut off http…", "cut off http…"),
        ("港https://t.co/abcの朝", "港 の朝"),
        ("ดูhttps://t.co/abcสวย", "ดู สวย"),
        ("so good https://t.co/abc😂", "so good  😂"),
        ("(https://t.co/a)", " "),
        ("see this (via https://t.co/a), please", "see this (via), please"),
        ("first https://t.co/a, then https://t.co/b.", "first, then."),
        ("“https://t.co/a” he said", "  he said"),
        ("wow https://t.co/a!!", "wow!!"),
        ("wow https://t.co/a :)", "wow   :)"),
        ("at https://harbour.example/Tide_(sea) today", "at   today"),
        ("at (https://harbour.example/Tide_(sea)) today", "at   today"),
        ("awww.cute stays", "awww.cute stays"),
        ("me@www.harbour stays", "me@www.harbour stays"),
        ("https is a word, http: too", "https is a word, http: too"),
    ],
)
def test_a_link_leaves_a_gap(text: str, after: str) -> None:
    assert remove_links(text) == after


@pytest.mark.parametrize("text", ["http:/" + "." * 200_000, "https://" * 50_000, "www.a" * 50_000, "(" * 200_000])
def test_a_hostile_text_costs_linear_time(text: str) -> None:
    assert remove_links(text) is not None
