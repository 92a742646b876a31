"""The page's files keep to what its Content-Security-Policy allows; tests/browser tries them in a browser."""

import re
from pathlib import Path

import pytest

import tweetbot_trainer.serving
from tweetbot_trainer.serving.card_html import render_card_html

PAGE = Path(tweetbot_trainer.serving.__file__).parent / "page"


@pytest.mark.parametrize("file", sorted(PAGE.iterdir()), ids=lambda file: file.name)
def test_a_file_names_nothing_elsewhere_and_has_no_style_or_script_inside(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|@import|url\(|\sstyle=|<style|\son\w+=|<script(?! type=\"module\" src=)", text) == []


def test_numbers_of_a_card_are_aligned_without_a_style_of_their_own() -> None:
    html = render_card_html("gull", "| A | B |\n| --- | ---: |\n| word | 5 |\n")
    assert '<td class="number">5</td>' in html
    assert "style" not in html
