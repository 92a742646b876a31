"""A model's card as a page. Its Markdown may be anybody's: only text, tables, lists, details and own pictures pass."""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from tweetbot_trainer.serving.drafting.served import About
from tweetbot_trainer.serving.templates import render_template

_DETAILS = re.compile(r"</?details>")
_SUMMARY = re.compile(r"<summary>([^<>]*)</summary>")


def render_card_page(about: About, text: str) -> str:
    """Return a card as a whole page."""
    return render_template("card.html", name=about.name, card=Markup(render_card_html(about.name, text)))  # noqa: S704


def render_card_html(model: str, text: str) -> str:
    """Return a card as HTML that runs nothing, loads nothing from elsewhere, and shows pictures of this model only."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("html_block", lambda _, tokens, index, *rest: _render_html_block(tokens[index].content))
    parser.add_render_rule("html_inline", lambda _, tokens, index, *rest: escape(tokens[index].content))
    tokens = parser.parse(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before and before.type == "heading_open":
            before.attrSet("id", _make_anchor(token.content))
        if "right" in str(
            token.attrs.pop("style", "")
        ):  # of a table's cell; the page's policy refuses styles of elements
            token.attrSet("class", "number")
        _tame(token.children or (), model)
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return rendered


def _tame(tokens: Iterable[Token], model: str) -> None:
    """Point pictures to the files of the model, and take away links that lead neither to the web nor to this page."""
    for token in tokens:
        if token.type == "image":
            source = str(token.attrGet("src") or "")
            own = re.fullmatch(r"[\w.-]+", source)
            token.attrSet("src", f"/models/{quote(model)}/files/{source}" if own else "")
        elif token.type == "link_open":
            target = str(token.attrGet("href") or "")
            token.attrSet("href", target if target.startswith(("https://", "http://", "#")) else "#")
            token.attrSet("rel", "noreferrer")


def _render_html_block(content: str) -> str:
    """Keep what folds the figures away, and show all other HTML as text."""
    return "".join(f"{_render_html_line(line.strip())}\n" for line in content.splitlines())


def _render_html_line(line: str) -> str:
    if _DETAILS.fullmatch(line):
        return line
    summary = _SUMMARY.fullmatch(line)
    return f"<summary>{summary[1]}</summary>" if summary else escape(line)


def _make_anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
