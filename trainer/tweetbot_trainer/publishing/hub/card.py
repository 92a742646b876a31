"""The card of a version for the Hub: there it is loaded by name, and no bucket's address is told."""

import re

import yaml

from tweetbot_trainer.publishing.report.markdown import format_block

_TRY_IT, _OWN_BOT, _ADAPTER, _END_OF_DETAILS = "## Try it\n", "## Make your own bot\n", "### Adapter\n", "</details>\n"
_DATASET_ADDRESS = re.compile(r" It lies at (`+)(?!`).+?(?<!`)\1(?!`)\.")
_BESIDE, _IN_BUCKET = "in the bucket beside this directory", "in the bucket that it was published from"
_THUMBNAIL = "thumbnail"


def adapt_card(card: str, *, repo: str, url: str, version: str, bucket: str) -> str:
    """Return the card of a model's directory as that of a repository at `url`, which has this version as a tag.

    Lines that still name the `bucket`, as in cards of earlier releases, are left out. A text that is no card of ours is
    returned as it is otherwise.
    """
    return _drop_lines(_adapt(card, repo, url, version), bucket)


def _adapt(card: str, repo: str, url: str, version: str) -> str:
    parts = card.split("---\n", 2)
    front = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    if not isinstance(front, dict):
        return card
    prompts = [str(each.get("text", "")) for each in front.get("widget") or ()]
    body = _replace_between(parts[2], _TRY_IT, _OWN_BOT, _render_usage(repo, version, prompts[0] if prompts else ""))
    body = _replace_between(body, _ADAPTER, _END_OF_DETAILS, "")
    body = _DATASET_ADDRESS.sub("", body).replace(_BESIDE, _IN_BUCKET)
    if _THUMBNAIL in front:
        front[_THUMBNAIL] = f"{url}/resolve/main/{front[_THUMBNAIL]}"
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{head}---\n{body}"


def _drop_lines(text: str, words: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if words not in line)


def _replace_between(text: str, start: str, end: str, middle: str) -> str:
    """Replace what begins with one line, up to another line; nothing if one of them is missing."""
    begin = text.find(f"\n{start}") + 1
    stop = text.find(f"\n{end}", begin) + 1
    return f"{text[:begin]}{middle}{text[stop:]}" if begin and stop else text


def _render_usage(repo: str, version: str, prompt: str) -> str:
    python = (
        "from transformers import pipeline\n\n"
        f'generator = pipeline("text-generation", model="{repo}", revision="{version}")\n'
        f"for post in generator({prompt!r}, num_return_sequences=5):\n"
        '    print(post["generated_text"])'
    )
    return "\n\n".join(
        (
            _TRY_IT.strip(),
            format_block(python, "python"),
            "Without `revision` the newest version is loaded. The end mark is put before the prompt automatically, and "
            "`generation_config.json` holds the sampling values.",
            "",
        )
    )
