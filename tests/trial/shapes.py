"""Shapes of posts that real accounts have: texts made of the author's words, links, names and others' words."""

import re
from collections.abc import Callable
from random import Random

from trial.words import FRIENDS, make_others_sentence, make_sentence

#: X stands for the author's words, Y for others', L for a link, N for a name.
TITLES = (
    *("X - L", "X – L", "X — L", "X: L", "X : L", "X | L", "X → L", "X 👉 L", "X >> L", "X: L L", "X - L - L"),
    *("X... - L", "L - X", "L: X", "L | X", "X (via L)", "X via L", "X [L]", "X 👇 L", "X, L", "X：L", "X -> L"),
)
LINKS = ("X L", "X… L", "X L via @N", "X! L", "X :) L", "X :/ L", "X (L)", "L X", "X L X", "X - L #tide", "X -_- L")
RETWEETS = (
    *("RT @N: Y", "RT @N Y", "rt @N: Y", "RT: @N Y", "RT @N: RT @N: Y", "MT @N: Y", "♺ @N: Y", "“@N: Y”", '"@N: Y"'),
    *("QT @N: Y", "RT “@N: Y”", "Retweeting @N: Y", "RT/@N Y", "(RT @N) Y", "RT @N, @N: Y", "#repost @N Y"),
)
COMMENTS = (
    *(
        "X RT @N: Y",
        "X! RT @N: Y",
        "X! RT @N Y",
        "X rt @N: Y",
        "X “@N: Y”",
        "“@N: Y” X",
        "X // RT @N: Y",
        "lol RT @N: Y",
    ),
    *("X - RT @N: Y", "X (RT @N: Y)", "X MT @N: Y", "X << RT @N: Y", "X ♺ @N: Y", "X RT @N: Y RT @N: Y", '"@N: Y" X'),
)
#: Credits and requests: the words are the author's.
CREDITS = ("X via @N", "X (via @N)", "X (RT @N)", "HT @N: X", "please RT @N X", "X thanks for the RT @N")
SMALL = ("😂", "😂😂😂", "ok", "yes!", "@N", "#tide", "👍 @N", "L", "lol", "草", "...", "🌊 🌊", "@N ok", "no no")
_SIGN = re.compile(r"\b[XYLN]\b")


def make_text(random: Random, *shapes: str) -> str:
    """Make a text of one of the shapes."""
    return _SIGN.sub(lambda sign: _MAKERS[sign[0]](random), random.choice(shapes))


def make_link(random: Random) -> str:
    """Make a t.co address that leads nowhere."""
    return "https://t.co/" + "".join(random.choices("abcdefghkmnpqrstuvwxyz0123456789", k=10))


_MAKERS: dict[str, Callable[[Random], str]] = {
    "X": make_sentence,
    "Y": make_others_sentence,
    "L": make_link,
    "N": lambda random: random.choice(FRIENDS),
}
