"""The two recipes: how a text is rewritten, and in which order named checks may drop its post."""

import functools
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import huggingtweets, languages, modern, personal_data, retweets, words
from tweetbot_trainer.data.posts import Post

#: Raise these with any change of what a recipe keeps or how it writes it: they are part of the dataset's header, so
#: other rules give another digest.
ORIGINAL_VERSION, MODERN_VERSION = "1", "3"


@dataclass(frozen=True, slots=True)
class Options:
    """The filter with the recipe's defaults filled in; `reply_names` is None where the recipe has no such option."""

    recipe: str
    min_words: int
    replies: str
    deduplicate: bool
    redact_pii: bool
    mentions: str
    languages: tuple[str, ...]
    reply_names: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the options under the names that a manifest uses."""
        names = {"replyNames": self.reply_names} if self.reply_names else {}
        return names | {
            "minWords": self.min_words,
            "replies": self.replies,
            "deduplicate": self.deduplicate,
            "redactPII": self.redact_pii,
            "mentions": self.mentions,
            "languages": list(self.languages),
        }


@dataclass(frozen=True, slots=True)
class Check:
    """A reason to drop a post. `name` is the data table's field that counts the drops.

    `holds` is given the post, its rewritten text, and whether a later revision of the post is there.
    """

    name: str
    holds: Callable[[Post, str, bool], bool]


@dataclass(frozen=True, slots=True)
class CleaningRecipe:
    """How posts are cleaned. `rewrite` returns the new text and whether personal data was replaced in it.

    `newest_only` leaves out earlier revisions of edited posts without counting them. `strip_names` cuts off the @names
    before replies, before `rewrite`. `warning_line` keeps a content warning on a line of its own.
    """

    options: Options
    version: str
    rewrite: Callable[[str], tuple[str, bool]]
    checks: tuple[Check, ...]
    newest_only: bool = False
    strip_names: bool = False
    warning_line: bool = False


def build_recipe(filter: Filter) -> CleaningRecipe:
    """Return the recipe that a spec's filter asks for."""
    return _build_original() if filter.recipe == "huggingtweets" else _build_modern(filter)


def _build_original() -> CleaningRecipe:
    return CleaningRecipe(
        options=Options("huggingtweets", huggingtweets.MIN_WORDS, "Keep", False, False, "Keep", ()),
        version=ORIGINAL_VERSION,
        rewrite=lambda text: (huggingtweets.rewrite(text), False),
        checks=(
            Check("retweets", lambda post, _, __: post.retweet),
            Check("short", lambda _, text, __: huggingtweets.is_too_short(text)),
        ),
        newest_only=True,  # the original's API gave no others, and its card counts none
    )


def _build_modern(filter: Filter) -> CleaningRecipe:
    options = Options(
        recipe="modern",
        min_words=3 if filter.min_words is None else filter.min_words,
        replies=filter.replies or "Keep",
        deduplicate=filter.deduplicate is not False,
        redact_pii=filter.redact_pii is not False,
        mentions=filter.mentions or "Replace",
        languages=tuple(sorted({languages.normalize_code(code) for code in filter.languages})),
        reply_names=filter.reply_names or "Drop",
    )
    return CleaningRecipe(
        options=options,
        version=_build_modern_version(options),
        rewrite=_build_rewrite(options),
        checks=_build_modern_checks(options),
        strip_names=options.reply_names == "Drop",
        warning_line=True,
    )


def _build_rewrite(options: Options) -> Callable[[str], tuple[str, bool]]:
    mentions = options.mentions == "Replace"
    plain_rules = modern.build_rules(mentions=mentions, private=False)
    rules = modern.build_rules(mentions=mentions, private=True) if options.redact_pii else plain_rules
    return functools.partial(_rewrite_text, rules, plain_rules)


def _rewrite_text(rules: tuple[modern.Rule, ...], plain_rules: tuple[modern.Rule, ...], text: str) -> tuple[str, bool]:
    """Return the rewritten text, and whether `plain_rules`, which redact nothing, give another one."""
    plain = modern.unescape_entities(text)
    after = modern.apply_until_stable(plain, rules)
    may_be_redacted = rules != plain_rules and any(placeholder in after for placeholder in personal_data.PLACEHOLDERS)
    return after, may_be_redacted and after != modern.apply_until_stable(plain, plain_rules)


def _build_modern_checks(options: Options) -> tuple[Check, ...]:
    wanted = options.languages
    return (
        Check("retweets", lambda post, text, _: post.retweet or retweets.is_hand_retweet(text)),
        Check("edits", lambda _, __, superseded: superseded),
        Check("truncated", lambda post, _, __: post.truncated),
        Check("replies", lambda post, _, __: options.replies == "Drop" and post.reply and not post.to_self),
        Check("languages", lambda post, text, _: bool(wanted) and languages.is_foreign(post, text, wanted)),
        Check("short", lambda _, text, __: words.count_words(text) < options.min_words),
    )


def _build_modern_version(options: Options) -> str:
    """Return the version of the rules, of Unicode and, where it decides, of the language detector."""
    detector = f";{languages.describe_detector()}" if options.languages else ""
    return f"{MODERN_VERSION};unicode={unicodedata.unidata_version}{detector}"
