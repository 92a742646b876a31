"""Links go, with the signs that led to them; what stood around them stays readable."""

import pytest

from tweetbot_trainer.data.cleaning.links import remove_links

#: Stands for a link in these texts.
LINK = "https://t.co/aB1x"
ATTACHED = "- -- ‐ ‑ – — ― － : ： :- | ｜ > >> » → ⇒ ➔ ➡️ -> --> => ▶️ ▼ ⬇️ 👇 👇🏽👇 👉 🔗 ／"
ALONE = "/ // ~ ～ • · ・ * << <- ← = ● ■"


def without(text: str) -> str:
    return remove_links(text.replace("LINK", LINK))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("look HTTPS://T.CO/Abc now", "look now"),
        ("look at www.harbour.example/tides now", "look at now"),
        ("look pic.twitter.com/AbC", "look"),
        ("look t.co/abc youtu.be/x now", "look now"),
        ("cut off https:/… end", "cut off end"),
        ("cut off https://t.co/ab…", "cut off"),
        ("cut off http…", "cut off http…"),
        ("港https://t.co/abcの朝", "港 の朝"),
        ("港（https://t.co/abc）。", "港。"),
        ("ดูhttps://t.co/abcสวย", "ดู สวย"),
        ("so good https://t.co/abc😂", "so good 😂"),
        ("(https://t.co/a)", ""),
        ("( https://t.co/a https://t.co/b )", ""),
        ("see [https://t.co/a] or <https://t.co/a>, ok", "see or, ok"),
        ("see [the tides](https://t.co/a) and ![a gull](https://t.co/b)", "see the tides and a gull"),
        ("see this (via https://t.co/a), please", "see this, please"),
        ("see this (photo: https://t.co/a)", "see this (photo)"),
        ("first https://t.co/a, then https://t.co/b.", "first, then."),
        ("“https://t.co/a” he said", "he said"),
        ('"hi" https://t.co/a "bye"', '"hi" "bye"'),
        ("wow https://t.co/a!!", "wow!!"),
        ("wow https://t.co/a :)", "wow :)"),
        ("at https://harbour.example/Tide_(sea) today", "at today"),
        ("at (https://harbour.example/Tide_(sea)) today", "at today"),
        ("awww.cute stays", "awww.cute stays"),
        ("me@www.harbour stays", "me@www.harbour stays"),
        ("https is a word, http: too", "https is a word, http: too"),
    ],
)
def test_a_link_leaves_a_space(text: str, after: str) -> None:
    assert remove_links(text) == after


@pytest.mark.parametrize("sign", ATTACHED.split())
def test_a_sign_that_led_to_the_link_goes_with_it(sign: str) -> None:
    texts = (f"Low tide{sign} LINK", f"Low tide {sign} LINK", f"Low tide {sign}LINK", f"LINK {sign} Low tide")
    assert [without(text) for text in texts] == ["Low tide"] * 4


@pytest.mark.parametrize("sign", ALONE.split())
def test_other_signs_go_where_they_stand_alone(sign: str) -> None:
    texts = (f"Low tide {sign} LINK", f"LINK {sign} Low tide", f"Low tide {sign} - LINK")
    assert [without(text) for text in texts] == ["Low tide"] * 3


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Low tide - LINK - LINK", "Low tide"),
        ("Low tide: LINK, LINK", "Low tide"),
        ("Low tide | The Harbour - LINK", "Low tide | The Harbour"),
        ("Low tide - LINK - The Harbour", "Low tide - The Harbour"),
        ("Low tide - LINK #harbour", "Low tide #harbour"),
        ("Low tide: LINK via @gull", "Low tide via @gull"),
        ("Low tide via @gull: LINK", "Low tide via @gull"),
        ("Low tide - via LINK", "Low tide"),
        ("Low tide RE: LINK", "Low tide"),
        ("Re: LINK", ""),
        ("Low tide, LINK", "Low tide"),
        ("Low tide, LINK and more", "Low tide, and more"),
        ("Low tide ( LINK", "Low tide"),
        ("Low tide & LINK", "Low tide"),
        ("引き潮：LINK", "引き潮"),
        ("引き潮／LINK", "引き潮"),
        ("引き潮、LINK", "引き潮"),
        ("LINK: Low tide", "Low tide"),
        ("LINK -Low tide", "Low tide"),
        ("LINK. Low tide", "Low tide"),
        ("LINK, LINK: Low tide", "Low tide"),
        ("Low tide (2021): LINK", "Low tide (2021)"),
        ("Low tide at 9: LINK", "Low tide at 9"),
        ('"Low tide" - LINK', '"Low tide"'),
        ("Low tide 😂: LINK", "Low tide 😂"),
        ("- LINK", ""),
    ],
)
def test_only_what_led_to_a_link_goes(text: str, after: str) -> None:
    assert without(text) == after


@pytest.mark.parametrize(
    "text",
    [
        *("e-mail", "low ti…", "low ti...", "1)", "スーパー", "楽しみ～", "hi~", "pics w/", "low!", "@gull", "#tide"),
        *("« bon »", "«bon»", "»gut«", "<b>", "❤️", "👍🏽", "🇩🇪", "1️⃣", "AT&amp;T", "&lt;"),
        *(":)", ":-)", ":(", ":/", ":-/", ":|", ":-|", ":>", ":->", ";)", ":'(", ":D", "=/", ">:|", ">:(", "<3", "</3"),
        *("lol:|", "lol:/", "(:", "yay(:", "(-:", "):", "D:", "c:", "-_-", "^-^", ">.>", ">_<", "T-T", "＼(^o^)／"),
    ],
)
def test_words_and_faces_before_a_link_stay(text: str) -> None:
    assert without(f"so {text} LINK") == f"so {text}"
    assert without(f"{text} LINK") == text


@pytest.mark.parametrize("text", [":) low", ":D low", ">:( low", "<3 low", "-5 degrees", "…low", "#tide low", "😂 low"])
def test_words_and_faces_behind_a_link_stay(text: str) -> None:
    assert without(f"LINK {text}") == text


def test_a_face_that_touches_a_link_stays() -> None:
    assert without("LINK:) low") == ":) low"


@pytest.mark.parametrize("text", ["wait for it -", "wait for it:", "- low tide", ": low tide", "low -> high ->", "a,"])
def test_signs_without_a_link_stay(text: str) -> None:
    assert remove_links(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("http:/" + "." * 50_000, "https://" * 12_000, "www.a" * 12_000, "(" * 50_000),
        *("- " * 25_000 + LINK, ":" * 50_000 + LINK, "\ufe0f" * 50_000 + LINK, "( - " * 12_000 + LINK),
        *(f"a - {LINK} " * 3_000, f"» {LINK} " * 3_000, f"({LINK} " * 3_000, "[a" * 25_000 + LINK),
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_costs_linear_time(text: str) -> None:
    assert len(remove_links(text)) <= len(text)
