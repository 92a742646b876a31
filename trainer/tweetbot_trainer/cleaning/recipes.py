"""The two recipes as ordered tables: how a text is rewritten, and which named checks may drop its post.

A check's name is the field of the data table that counts its drops; the first that holds is the post's reason.
"""

import functools
import importlib.metadata
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tweetbot_contract.spec import Filter
from tweetbot_trainer.cleaning import modern, original, privacy
from tweetbot_trainer.posts import Post

#: Codes that X still writes, and what ISO 639-1 says today.
_FORMER_CODES = {"in": "id", "iw": "he", "ji": "yi"}


@dataclass(frozen=True, slots=True)
class Options:
    """The filter with every default of the recipe filled in."""

    recipe: str
    min_words: int
    replies: str
    deduplicate: bool
    redact_pii: bool
    mentions: str
    languages: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the options under the names that a manifest uses."""
        return {
            "minWords": self.min_words,
            "replies": self.replies,
            "deduplicate": self.deduplicate,
            "redactPII": self.redact_pii,
            "mentions": self.mentions,
            "languages": list(self.languages),
        }


@dataclass(frozen=True, slots=True)
class Check:
    """One reason to drop a post; `holds` takes the post and its rewritten text."""

    name: str
    holds: Callable[[Post, str], bool]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How posts are cleaned. `rewrite` returns a text's new form and whether personal data was replaced in it."""

    options: Options
    version: str
    rewrite: Callable[[str], tuple[str, bool]]
    checks: tuple[Check, ...]


def recipe_of(filter: Filter) -> Recipe:
    """Return the recipe that a spec's filter asks for."""
    return _original() if filter.recipe == "huggingtweets" else _modern(filter)


def options_of(filter: Filter) -> Options:
    """Return the filter's options as they take effect."""
    return recipe_of(filter).options


def _original() -> Recipe:
    return Recipe(
        options=Options("huggingtweets", original.MIN_WORDS, "Keep", False, False, "Keep", ()),
        version="1",
        rewrite=lambda text: (original.rewritten(text), False),
        checks=(
            Check("retweets", lambda post, text: post.retweet),
            Check("short", lambda post, text: original.too_short(text)),
        ),
    )


def _modern(filter: Filter) -> Recipe:
    options = Options(
        recipe="modern",
        min_words=3 if filter.min_words is None else filter.min_words,
        replies=filter.replies or "Keep",
        deduplicate=filter.deduplicate is not False,
        redact_pii=filter.redact_pii is not False,
        mentions=filter.mentions or "Keep",
        languages=tuple(sorted(set(filter.languages))),
    )
    return Recipe(options, _modern_version(), functools.partial(_rewritten, options), _modern_checks(options))


def _rewritten(options: Options, text: str) -> tuple[str, bool]:
    plain = modern.unescaped(text)
    tidied = functools.partial(modern.tidied, plain, mentions=options.mentions == "Replace")
    after = tidied(private=options.redact_pii)
    may_be_redacted = options.redact_pii and any(placeholder in after for placeholder in privacy.PLACEHOLDERS)
    return after, may_be_redacted and after != tidied(private=False)


def _modern_checks(options: Options) -> tuple[Check, ...]:
    return (
        Check("retweets", lambda post, text: post.retweet or modern.is_old_retweet(post.text)),
        Check("replies", lambda post, text: options.replies == "Drop" and post.reply),
        Check("languages", lambda post, text: bool(options.languages) and _language(post) not in options.languages),
        Check("short", lambda post, text: modern.word_count(text) < options.min_words),
    )


def _language(post: Post) -> str:
    code = (post.lang or "").lower().split("-")[0]
    return _FORMER_CODES.get(code, code)


def _modern_version() -> str:
    """Return the rules' version: our own, and of what decides with them on letters and similarity."""
    return f"1;datasketch={importlib.metadata.version('datasketch')};unicode={unicodedata.unidata_version}"
