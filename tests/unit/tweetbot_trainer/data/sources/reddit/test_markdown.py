"""The author's own words in Reddit's markdown."""

import pytest

from tweetbot_trainer.data.sources.reddit.markdown import extract_own_words, render_names


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("low tide", "low tide"),
        ("> the tide\n> never comes\n\nIt does.", "It does."),
        (">no blank\nIt does.", "It does."),
        ("First.\r\n\r\n   &gt; quoted\r\n\r\nLast.", "First.\n\nLast."),
        ("> all of it", ""),
        (">> twice quoted\n\nNo.", "No."),
        (">!he did it!<", ">!he did it!<"),
        ("3 > 2 and 2 &gt; 1", "3 > 2 and 2 &gt; 1"),
        ("    > code of four spaces", "> code of four spaces"),
        ('see [the crabs](https://harbour.example/a_(b)?c=1 "title"), please', "see the crabs, please"),
        ("[one](/r/harbour) and [two](#top)", "one and two"),
        ("[not a link] (really)", "[not a link] (really)"),
        ("look ![gif](giphy|a1b2|downsized) there", "look  there"),
        ('![img](a1b2 "a crab")', ""),
        ("thanks u/very-small_crab, /u/Gull", "thanks @very_small_crab, @Gull"),
        ("https://reddit.com/u/gull and menu/lunch and u/x", "https://reddit.com/u/gull and menu/lunch and u/x"),
        ("First.\n\n&#x200B;\n\nLast.&amp;#x200B;", "First.\n\nLast."),
        (r"\> not quoted, snake\_case \- u/not\_me \n", r"> not quoted, snake_case - @not_me \n"),
        ("", ""),
    ],
)
def test_only_what_the_author_wrote_remains(text: str, own: str) -> None:
    assert extract_own_words(text) == own


def test_a_title_keeps_all_but_the_form_of_names() -> None:
    assert render_names("> be me, like u/gull [sic](no)") == "> be me, like @gull [sic](no)"


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "[a](" + "(" * 200, "u/", "> ", "![a](b"])
def test_hostile_text_is_read_in_a_moment(piece: str) -> None:
    assert len(extract_own_words(piece * (130_000 // len(piece)))) <= 130_000
