"""A model card as a page of its own: it runs no script and asks no server for anything."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt

#: The only tags of HTML that a card uses.
_TAGS = re.compile("&lt;(/?(?:details|summary))&gt;")

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" 
  content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'">
<title>Model card</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
  body {{ overflow-wrap: anywhere; }}
  img {{ max-width: 100%; height: auto; }}
  table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
  td, th {{ border: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .3rem .6rem; }}
  td, th {{ text-align: start; }}
  pre {{ overflow-x: auto; padding: .8rem; background: color-mix(in srgb, currentColor 8%, transparent); }}
</style>
{body}
</html>
"""


def render_card_page(card: str) -> str:
    """Return the page of a card in Markdown. HTML in it is shown as text, but for what folds a part away."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(drop_front_matter(card))
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", _build_anchor(text.content))
    body = markdown.renderer.render(tokens, markdown.options, {})
    return _PAGE.format(body=_TAGS.sub(r"<\1>", body))


def _build_anchor(heading: str) -> str:
    """Return a heading's anchor, as GitHub and the Hub make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def drop_front_matter(card: str) -> str:
    """Return a card without the YAML at its beginning."""
    if not card.startswith("---\n"):
        return card
    _, found, rest = card[4:].partition("\n---\n")
    return rest if found else card
