"""The HTML of a Mastodon post as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.data.sources.mastodon.html import extract_text

LINK = (
    '<a href="https://example.com/harbour/1" target="_blank" rel="nofollow noopener" translate="no">'
    '<span class="invisible">https://</span><span class="ellipsis">example.com/harb</span>'
    '<span class="invisible">our/1</span></a>'
)
MENTION = '<span class="h-card"><a href="https://m.example/@bob" class="u-url mention">@<span>bob</span></a></span>'
TAG = '<a href="https://m.example/tags/fog" class="mention hashtag" rel="tag">#<span>fog</span></a>'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>low tide</p>", "low tide"),
        ("<p>low</p><p>tide</p>", "low\n\ntide"),
        ("<p>low<br>tide<br/>fog<br />rain</p>", "low\ntide\nfog\nrain"),
        ("low\ntide", "low tide"),
        (f"<p>see {LINK} now</p>", "see https://example.com/harbour/1 now"),
        (f"<p>{MENTION} hello</p>", "@bob hello"),
        (f"<p>in the {TAG}</p>", "in the #fog"),
        ("<p>a &lt;b&gt; &amp; &#39;c&#39; &quot;d&quot; &nbsp;e</p>", "a <b> & 'c' \"d\" \xa0e"),
        ("<p>&amp;amp; stays</p>", "&amp; stays"),
        ("<p>so :blobcat: it is</p>", "so :blobcat: it is"),
        ('<p>so <img class="emoji" alt=":blobcat:" src="x"> it is</p>', "so :blobcat: it is"),
        ('<p class="quote-inline">RE: <a href="https://m.example/1">https://m.example/1</a></p><p>fog</p>', "fog"),
        ('<p>fog<span class="quote-inline"><br/><br/>RE: <span>x</span> y</span> rain</p>', "fog rain"),
        ('<p class="quote-inline">RE: never closed', ""),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"),
        ("<blockquote><p>so</p></blockquote><p>no</p>", "so\n\nno"),
        ("<p><strong>b</strong><em>c</em></p>", "bc"),
        ("<p>3 < 4 and <3 <- that</p>", "3 < 4 and <3 <- that"),
        ("<!-- hidden --><p>shown</p>", "shown"),
        ("", ""),
    ],
)
def test_the_text_is_what_the_author_wrote(content: str, text: str) -> None:
    assert extract_text(content) == text


@on_a_busy_machine
@given(st.text(alphabet=st.sampled_from("<>/&;\"'=pabr spn!-#\n"), max_size=300))
def test_any_content_gives_a_text(content: str) -> None:
    assert extract_text(content) == extract_text(content).strip()


@pytest.mark.parametrize("piece", ["<", "<a ", "<a b='", "<!--", "<![", "&", "<p>", "</p>", '<p class="', "\n", "&lt;"])
def test_hostile_content_takes_linear_time(piece: str) -> None:
    """A million signs of it end at once; quadratic work would take hours."""
    assert len(extract_text(piece * (1_000_000 // len(piece)))) <= 1_000_000


@pytest.mark.parametrize("start", ["<", "</", "<!", "<p class='"])
def test_a_tag_without_end_takes_linear_time(start: str) -> None:
    content = start + "a" * 1_000_000
    assert extract_text(content) == content
