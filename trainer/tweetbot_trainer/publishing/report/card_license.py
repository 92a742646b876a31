"""The licence of a model: its base's, as far as the weights are the base's. The posts stay their author's."""

from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.markdown import escape_inline, format_code, format_link

_AUTHOR = (
    "The posts that it learned from belong to their author, and no licence of them is given here: "
    "ask the author before you pass the model on."
)
#: Licences of bases on the hub, as their pages state them, by the hub's identifiers.
BASE_LICENSES = {
    "gpt2": "mit",
    "gpt2-medium": "mit",
    "gpt2-large": "mit",
    "gpt2-xl": "mit",
    "distilgpt2": "apache-2.0",
}
#: Accounts of the hub under which those bases are found today; their old names have none.
_ACCOUNTS = ("openai-community/", "distilbert/")


def build_license_fields(card: CardData) -> dict[str, str]:
    """Return the licence as the hub reads it: an identifier, or `other` with a name."""
    if known := find_base_license(card):
        return {"license": known}
    return {"license": "other", "license_name": "of-the-posts" if card.base.kind == "scratch" else "of-the-base"}


def describe_license(card: CardData) -> str:
    """Return the same in words."""
    base = card.base
    if base.kind == "scratch":
        return f"No other model's weights are in this one. {_AUTHOR}"
    if known := find_base_license(card):
        name = format_link(base.hub_name or "", base.hub_page or "")
        return f"As its base, {name}: {format_code(known)}. {_AUTHOR}"
    where = f"its {format_link('page', base.hub_page)} states it" if base.hub_page else "ask its owner"
    return f"As its base, {escape_inline(base.hub_name or 'a custom GPT-2')}: {where}. {_AUTHOR}"


def find_base_license(card: CardData) -> str | None:
    """Return the identifier of the base's licence, if we know it."""
    name = card.base.hub_name or ""
    for account in _ACCOUNTS:
        name = name.removeprefix(account)
    return BASE_LICENSES.get(name)
