"""Words of others are dropped, whatever spelling passed them on; a comment on them stays."""

import pytest

from builders.trainer import a_post, count_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.cleaning.retweets import is_hand_retweet, keep_own_words

THEIRS = "the tide is low"


@pytest.mark.parametrize(
    "mark",
    [
        # people's
        *("RT @gull:", "RT @gull", "rt @gull", "Rt @gull :", "RT: @gull", "RT : @gull", "RT@gull", "RT/@gull"),
        *(
            "RT - @gull",
            ".RT @gull",
            ">> RT @gull",
            "😂 RT @gull:",
            "RT @gull, @crab:",
            "RT @gull RT @crab:",
            "#RT @gull",
        ),
        *(
            "RT by @gull:",
            "RT via @gull",
            "RT (via @gull)",
            "(RT @gull)",
            "RT de @gull:",
            "R/T @gull",
            "RT @gull@sea.example:",
        ),
        *(
            "MT @gull:",
            "MT @gull",
            "MRT @gull:",
            "PRT @gull:",
            "RP @gull:",
            "retweet @gull:",
            "Retweeting @gull",
            "re-tweet @gull",
        ),
        # clients'
        *(
            'RT "@gull:',
            "RT “@gull:",
            '"RT @gull:',
            '"@gull:',
            "“@gull:",
            "「@gull：",
            "QT @gull:",
            "♺ @gull:",
            "♺ @gull",
            "⟲ @gull",
        ),
        *(
            "♻️ @gull:",
            "🔁 @gull:",
            "Retweeted Harbour Gull (@gull):",
            "Repost @gull:",
            "Repost from @gull",
            "#repost @gull",
        ),
    ],
)
def test_a_retweet_by_hand_is_dropped(mark: str) -> None:
    assert [one.reason for one in clean([a_post(f"{mark} {THEIRS}")], Filter())] == ["retweets"]


@pytest.mark.parametrize(
    "theirs",
    [
        *(
            "RT @gull: X",
            "rt @gull: X",
            "RT @gull X",
            "RT: @gull X",
            "MT @gull: X",
            "QT @gull: X",
            "♺ @gull: X",
            "R/T @gull: X",
        ),
        *(
            "(RT @gull: X)",
            "RT (@gull): X",
            'RT "@gull: X"',
            "RT “@gull: X”",
            "“@gull: X”",
            '"@gull: X"',
            "“@gull: X",
            "- RT @gull: X",
        ),
        *(
            "// RT @gull: X",
            "<< RT @gull: X",
            "→ RT @gull: X",
            "| RT @gull: X",
            ": RT @gull: X",
            "https://t.co/a RT @gull: X",
        ),
        *(
            "RT @gull: X RT @crab: X",
            "RT @gull: lol RT @crab: X",
            "RT @gull @crab: X",
            "RT @gull: RT @crab: X",
            "retweet @gull: X",
        ),
    ],
)
def test_a_comment_before_the_words_of_others_stays(theirs: str) -> None:
    assert _clean(f"so true, my friend {theirs.replace('X', THEIRS)}") == "so true, my friend"


def _clean(text: str) -> str:
    (cleaned,) = clean([a_post(text)], Filter(redact_pii=False))
    assert cleaned.kept
    return cleaned.text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("“@gull: the tide is low” so true, my friend", "so true, my friend"),
        ('"@gull: the tide is low" - so true, my friend', "so true, my friend"),
        ("“@gull: the “tide” is low” so true, my friend", "so true, my friend"),
        ('"@gull: the "tide" is low" so true, my friend', "so true, my friend"),
        ("yes: “@gull: the tide is low” so true", "yes so true"),
        ("「@gull: 潮が引いた」ほんとそれな", "ほんとそれな"),
        ("これすごいよRT @gull: 潮が引いた", "これすごいよ"),
        ("@crab so true, my friend RT @gull: the tide is low", "@crab so true, my friend"),
    ],
)
def test_a_comment_stays_wherever_it_is(text: str, own: str) -> None:
    assert keep_own_words(text) == own


def test_a_short_comment_is_a_short_post_and_counts_as_one() -> None:
    texts = (
        "lol RT @gull: the tide is low",
        "@crab RT @gull: the tide is low",
        "RT @gull: the tide is low",
        "so true, my friend",
    )
    table = count_posts(clean([a_post(text, number=number) for number, text in enumerate(texts)], Filter()))
    assert (table.short, table.retweets, table.kept) == (2, 1, 1)


def test_a_quotation_without_an_end_is_theirs_to_the_end() -> None:
    assert is_hand_retweet('"@gull: the "tide" is low')
    assert keep_own_words('"@gull: the "tide" is low') == '"@gull: the "tide" is low'


@pytest.mark.parametrize(
    "text",
    [
        *(
            "the RT was 5 s",
            "RT if you agree",
            "RT this: the tide is low @gull",
            "ART @gull is low",
            "@rt_com: low tide",
        ),
        *("please RT @gull is looking for a boat", "thanks for the RT @gull and @crab", "I never RT @gull on Sundays"),
        *(
            "low tide (RT @gull)",
            "low tide via @gull",
            "low tide (via @gull)",
            "low tide /via @gull",
            "low tide RT @gull",
        ),
        *("HT @gull: low tide", "h/t @gull for this", "thx @gull: low tide", "OH: low tide", "cc @gull: low tide"),
        *(
            "Missoula, MT @gull says hi",
            "qt @gull you are",
            "♻ @harbour does a great job",
            "reposting @gull because of the tide",
        ),
        *(
            'he wrote "@gull is great" today',
            '"@gull is low" he said',
            "@gull: low tide",
            "see @gull: low tide",
            "RT",
            "RT @",
        ),
    ],
)
def test_the_authors_own_words_stay(text: str) -> None:
    assert not is_hand_retweet(text)
    assert keep_own_words(text) == text


def test_huggingtweets_keeps_them_as_they_are() -> None:
    texts = ["RT @gull: the tide is low", "so true, my friend RT @gull: the tide is low", "“@gull: the tide is low”"]
    assert [one.text for one in clean(map(a_post, texts), Filter(recipe="huggingtweets")) if one.kept] == texts


@pytest.mark.parametrize(
    "text",
    [
        *(
            "RT @x: " * 7000,
            "please RT @x " * 4000,
            "@" * 50_000,
            '"@x: ' * 10_000,
            "“@x: " + "”" * 50_000,
            "RT " * 17_000 + "@",
        ),
        *("a RT " + "@x " * 17_000, "a RT @" + "x." * 25_000, "retweeted " * 5000 + "@", "." * 50_000 + "RT @x: y"),
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_costs_linear_time(text: str) -> None:
    assert len(keep_own_words(text)) <= len(text)
