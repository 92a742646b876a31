"""Sixty-one cases of the recipe huggingtweets, each worked out by hand from the rules in docs/cleaning.md.

They go through `tweetbot-trainer clean --recipe huggingtweets` in one process of its own, as a person would send them.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Case:
    why: str
    text: str
    after: str
    reason: str | None = None
    retweet: bool = False
    reply: bool = False

    def record(self, number: int) -> dict[str, Any]:
        return {"id": str(number), "text": self.text, "retweet": self.retweet, "reply": self.reply, "lang": "de"}


CASES = (
    # How many words count: three are enough.
    Case("four words", "the tide is low", "the tide is low"),
    Case("two words", "low tide", "low tide", "short"),
    Case("no word", "", "", "short"),
    Case("words are what spaces part", "one,two,three", "one,two,three", "short"),
    Case("signs are words where spaces part them", "🌊 🐟 🍟", "🌊 🐟 🍟"),
    Case("without spaces all is one word", "港の朝はとても静かで誰もいない", "港の朝はとても静かで誰もいない", "short"),
    Case("with spaces it is three", "港 の 朝", "港 の 朝"),
    Case("names stay and do not count", "@gull @crab the tide", "@gull @crab the tide", "short"),
    Case("three words beside a name", "@gull tide is low", "@gull tide is low"),
    Case("tags stay and do not count", "#tide #fog is low now", "#tide #fog is low now"),
    Case("a # anywhere in a word", "C# is low", "C# is low", "short"),
    Case("an @ anywhere in a word", "me@site.example is low", "me@site.example is low", "short"),
    Case("http anywhere in a word", "xhttpx is low", "xhttpx is low", "short"),
    Case("HTTP in capitals too", "HTTP is low", "HTTP is low", "short"),
    Case("punctuation alone counts", "low - tide", "low - tide"),
    # Entities: three of them, one after the other.
    Case("&amp;", "fish &amp; chips", "fish & chips"),
    Case("&lt; and &gt;", "&lt;b&gt; is bold", "<b> is bold"),
    Case("&amp; first, then &lt; in its result", "&amp;lt;3 is love", "<3 is love"),
    Case("&amp; first, then &gt; in its result", "&amp;gt; goes on", "> goes on"),
    Case("&amp; itself is resolved once", "&amp;amp; stays one", "&amp; stays one"),
    Case("two side by side", "&gt;&amp;lt; hm hm", ">< hm hm"),
    Case("&quot; stays, and counts", "&quot;so&quot; she said", "&quot;so&quot; she said"),
    Case("&#39; stays, and its # keeps the word from counting", "it&#39;s so cold", "it&#39;s so cold", "short"),
    Case("&nbsp; stays, and parts no words", "so&nbsp;cold today", "so&nbsp;cold today", "short"),
    Case("an entity in capitals stays", "&AMP; stays here", "&AMP; stays here"),
    Case("a bare & stays", "AT&T is down", "AT&T is down"),
    Case("an entity may make a mark", "&lt;|endoftext|&gt; comes out", "<|endoftext|> comes out"),
    # Links: http: first, then https:, each with the space before it if there is one.
    Case("in the middle", "look at https://t.co/abc now", "look at now"),
    Case("what is left is too short", "look https://t.co/abc now", "look now", "short"),
    Case("at the beginning it takes the space after it", "https://t.co/abc look at this", "look at this"),
    Case("at the end", "now and then http://t.co/a", "now and then"),
    Case("alone", "https://t.co/abc", "", "short"),
    Case("after a line's end, with a space after", "one\nhttps://t.co/a two three", "one two three"),
    Case("after a line's end, at the end", "one two\nhttps://t.co/a", "one two", "short"),
    Case("between two lines' ends", "one two\nhttps://t.co/a\nthree", "one two three"),
    Case("with its full stop", "now and then https://t.co/a.", "now and then"),
    Case("with bracket, full stop and space", "see (https://t.co/a). bye now", "see (bye now"),
    Case("inside a word it glues two together", "seehttps://t.co/a now and then", "seenow and then"),
    Case("several", "one two https://t.co/a https://t.co/b three", "one two three"),
    Case("glued together", "https://t.co/ahttps://t.co/b c d e", "c d e"),
    Case("of both schemes", "http://a.example and https://t.co/b all gone", "and all gone"),
    Case("http: inside https: goes first, its rest is a link again", "https:http://t.co/a b c d e", "c d e"),
    Case("https: inside http: goes with it", "http:https://t.co/a one two three", "one two three"),
    Case("a no-break space ends it", "one two http://t.co/a\u00a0three", "one two three"),
    Case("a zero-width space does not", "one two http://t.co/a\u200bthree", "one two", "short"),
    Case("a scheme alone is no link", "https: alone is kept", "https: alone is kept"),
    Case("in capitals it stays, and does not count", "HTTPS://T.CO/A is low", "HTTPS://T.CO/A is low", "short"),
    Case("without a scheme it stays, and counts", "www.gull.example is low", "www.gull.example is low"),
    Case("X's pictures stay, and count", "pic.twitter.com/x is low", "pic.twitter.com/x is low"),
    Case("other schemes stay, and count", "ftp://gull.example is low", "ftp://gull.example is low"),
    # White space of every kind is one space; what only looks like it stays.
    Case("at the ends and in between", "  so   much  room  ", "so much room"),
    Case("tabs, lines, no-break and ideographic spaces", "a\t b\n\nc\u00a0d\u3000e", "a b c d e"),
    Case("separators that split() knows", "\u0085next\x1cline\x0bhere", "next line here"),
    Case("a zero-width space is no space", "zero\u200bwidth is low", "zero\u200bwidth is low"),
    # What becomes of the post.
    Case("a native retweet", "RT @gull: the tide is low", "RT @gull: the tide is low", "retweets", retweet=True),
    Case("a native retweet that is short", "RT @gull: ok", "RT @gull: ok", "retweets", retweet=True),
    Case("a retweet by hand is a post", "RT @gull: the tide is low", "RT @gull: the tide is low"),
    Case("a reply is a post", "@gull the tide is low", "@gull the tide is low", reply=True),
    Case("a post again is a post again", "the tide is low", "the tide is low"),
    Case("nothing private is touched", "gull@site.example +1 202-555-0143 ok", "gull@site.example +1 202-555-0143 ok"),
    Case("an end mark is a word", "<|endoftext|> is low", "<|endoftext|> is low"),
)


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    lines = "".join(json.dumps(case.record(number)) + "\n" for number, case in enumerate(CASES))
    command = [sys.executable, "-m", "tweetbot_trainer", "clean", "--recipe", "huggingtweets"]
    out = subprocess.run(command, input=lines.encode(), capture_output=True, check=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: CASES[number].why)
def test_the_command_agrees_with_what_was_worked_out(number: int, answers: list[dict[str, Any]]) -> None:
    case, answer = CASES[number], answers[number]
    assert answer["id"] == str(number)
    assert (answer["text"], answer["kept"], answer["reason"]) == (case.after, case.reason is None, case.reason)
