"""What servers mean by refusing: a table for each of them (X, Bluesky, S3, the hub), searched from the top.

A refusal is permanent only if the server itself names the problem in its answer, and the table knows the name. All
others pass: a status without a name comes from proxies, firewalls and outages as well, and X once answered 404 to every
timeline for eight hours. Whoever waits in vain sees the server's words in the status (decision 67).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tweetbot_contract.reasons import Reason
from tweetbot_trainer.runtime.errors import StageError

#: Characters of a server's own words in a message, and bytes of its answer that are looked at for them.
_WORDS_LENGTH, _LOOKED_AT = 200, 4096
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A line of a table: names of problems, or beginnings of names with a star, and what they mean.

    If there are `words`, one of them is in the message; if there are `actions`, one of them was asked for. Without
    `advice` the reason's own is given. `servers` are those whose documentation or source has it.
    """

    names: tuple[str, ...]
    error: type[StageError]
    reason: Reason
    advice: str = ""
    servers: str = ""
    words: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    def fits(self, name: str, words: str, action: str = "") -> bool:
        """Tell whether an answer to an action means this."""
        lower = words.lower()
        return (
            any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.names)
            and (not self.words or any(word in lower for word in self.words))
            and (not self.actions or action in self.actions)
        )


def find_meaning(table: Iterable[Meaning], name: str, words: str, action: str = "") -> Meaning | None:
    """Return the first line that an answer fits: its problem's name, its words, and what was asked."""
    return next((meaning for meaning in table if meaning.fits(name, words, action)), None)


def extract_words(answer: bytes) -> str:
    """Return what people would see of an answer, such as a page in HTML, in one line."""
    text = _UNSEEN.sub(" ", answer[:_LOOKED_AT].decode("utf-8", "replace"))
    return " ".join(text.split())


def shorten_words(said: str) -> str:
    """Return a server's words as one short line."""
    return " ".join(said.split())[:_WORDS_LENGTH].strip()
