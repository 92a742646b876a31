"""Sphinx's configuration: the pages that stage.py laid out. Neither it nor a browser asks another server."""

import os

from pygments.lexers.data import JsonLexer
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

SITE = os.environ.get("SITE_URL", "").rstrip("/")  # where the site is published, with its versions as folders

project = "TweetBot operator"
author = "The TweetBot operator's maintainers"
project_copyright = author
version = release = os.environ["SITE_VERSION"]

extensions = ["myst_parser"]
myst_heading_anchors = 6  # as the usual host makes them

html_theme = "pydata_sphinx_theme"
html_title = f"TweetBot operator {release}"
html_copy_source = False
html_show_sphinx = False
html_extra_path = [os.environ["SITE_EXTRA"]]
html_baseurl = f"{SITE}/{release}/" if SITE else ""
html_theme_options = {
    "logo": {"text": "TweetBot operator"},
    "navbar_align": "left",
    "navbar_end": [*(["version-switcher"] if SITE else []), "theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_as_you_type": True,
    # Browsers fetch the list of versions from the site itself, so there is none where no site is.
    **(
        {"switcher": {"json_url": f"{SITE}/switcher.json", "version_match": release}, "check_switcher": False}
        if SITE
        else {}
    ),
}


def setup(app: Sphinx) -> None:
    """Tell Pygments which languages our pages name that it does not know."""
    app.add_lexer("jsonl", JsonLexer)
    app.add_lexer("promql", TextLexer)
