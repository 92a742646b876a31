"""The licence of a model: its base's, as far as the weights are the base's. The posts stay their author's."""

from tweetbot_contract.spec.known_bases import find_base
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.markdown import escape_inline, format_code, format_link

_AUTHOR = (
    "The posts that it learned from belong to their author, and no licence of them is given here: "
    "ask the author before you pass the model on."
)
#: What a licence wants to be said wherever the model is.
_NOTICES = {"llama3.2": " Built with Llama."}


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
        return f"As its base, {name}: {format_code(known)}.{_NOTICES.get(known, '')} {_AUTHOR}"
    where = f"its {format_link('page', base.hub_page)} states it" if base.hub_page else "ask its owner"
    return f"As its base, {escape_inline(base.hub_name or f'a custom {base.family_name}')}: {where}. {_AUTHOR}"


def find_base_license(card: CardData) -> str | None:
    """Return the identifier of the base's licence, if we know it."""
    known = find_base(card.base.uri)
    return known.license if known else None
