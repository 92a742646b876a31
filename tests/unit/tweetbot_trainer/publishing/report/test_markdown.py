"""Foreign text in Markdown can be read and nothing else; a real parser is the judge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from builders.hostile_texts import CORPUS
from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.publishing.report.markdown import (
    escape_inline,
    format_block,
    format_code,
    format_image,
    format_link,
    format_table,
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def inline_tokens(markdown: str) -> list[Token]:
    (token,) = [token for token in PARSER.parse(markdown) if token.type == "inline"]
    return token.children or []


def as_read(text: str) -> str:
    return collapse_whitespace(
        "".join(sign for sign in text if sign not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    )


def text_of(tokens: list[Token]) -> str:
    """Return what is read: the marks that isolate a text from right to left are no part of it."""
    shown = "".join(token.content for token in tokens if token.type in ("text", "text_special"))
    return shown.replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_is_only_read_in_a_paragraph(text: str) -> None:
    document = PARSER.parse(f"before {escape_inline(text)}")
    assert [token.type for token in document] == ["paragraph_open", "inline", "paragraph_close"]
    tokens = inline_tokens(f"before {escape_inline(text)}")
    assert {token.type for token in tokens} <= {"text", "text_special"}
    assert text_of(tokens).strip() == f"before {as_read(text)}".strip()


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_is_only_read_in_a_list(text: str) -> None:
    kinds = [token.type for token in PARSER.parse(f"- {escape_inline(text)}\n- end")]
    item = ["list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close"]
    assert kinds == ["bullet_list_open", *item, *item, "bullet_list_close"]


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_stays_in_its_cell(text: str) -> None:
    tokens = PARSER.parse(format_table(["Data", escape_inline(text)], [[escape_inline(text), "1"]]))
    kinds = [token.type for token in tokens]
    assert (kinds.count("th_open"), kinds.count("td_open")) == (2, 2)
    cells = [token.children or [] for token in tokens if token.type == "inline"]
    assert text_of(cells[1]).strip() == text_of(cells[2]).strip() == as_read(text)


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_in_a_title_makes_one_heading(text: str) -> None:
    assert [token.type for token in PARSER.parse(f"# 🤖 {escape_inline(text)}: a bot")] == [
        "heading_open",
        "inline",
        "heading_close",
    ]


@given(st.text(max_size=60))
def test_any_text_reads_as_it_was(text: str) -> None:
    tokens = inline_tokens(f"x {escape_inline(text)}")
    assert {token.type for token in tokens} <= {"text", "text_special"}
    assert text_of(tokens).strip() == f"x {as_read(text)}".strip()


@given(st.text(max_size=60))
def test_nothing_ends_a_block_but_its_fence(text: str) -> None:
    kinds = [token.type for token in PARSER.parse(f"{format_block(text, 'sh')}\n\nafter")]
    assert kinds == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize("text", [*CORPUS, "a\n```\nb", "```sh\nrm x\n```\n# heading", "````\n```\n`````", "~~~\n```"])
def test_a_fence_inside_ends_no_block(text: str) -> None:
    kinds = [token.type for token in PARSER.parse(f"{format_block(text, 'sh')}\n\nafter")]
    assert kinds == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize("text", [*CORPUS, "``", "a`b``c", ""])
def test_code_is_one_piece_of_code(text: str) -> None:
    kinds = [token.type for token in inline_tokens(f"x {format_code(text)} y")]
    assert kinds == ["text", "code_inline", "text"]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://[", "mailto:a@b"]
)
def test_a_strange_address_makes_no_link(address: str) -> None:
    assert format_link("label", address) == "label"
    assert format_image("label", address) == "label"


def test_an_address_cannot_leave_its_link() -> None:
    tokens = inline_tokens(format_link("a ](http://evil.example)", 'https://host/a) [b](http://evil.example "t" <x>'))
    opened = [token for token in tokens if token.type == "link_open"]
    assert len(opened) == 1
    assert str(opened[0].attrs["href"]).startswith("https://host/")


def test_figures_and_dates_need_no_signs() -> None:
    assert [escape_inline(text) for text in ("2021-04-09", "0.003", "warm-up 10%")] == [
        "2021-04-09",
        "0.003",
        "warm-up 10%",
    ]
