"""What a spec says of its subject, compared with what its sources show: a card must not repeat what they contradict."""

from collections.abc import Sequence
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.spec.sources import ArchiveSource, BlueskySource, Source, XSource
from tweetbot_contract.spec.spec import Subject
from tweetbot_trainer.data.dataset.profiles import CardAccount


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Which statements of spec.subject the sources contradict.

    `relation` is true if the card may not repeat spec.subject.relation. `others` are the handles of accounts that are
    not the subject's; `imitated` is whom the posts show to be imitated. `messages` say it to the author.
    """

    imitated: str
    relation: bool = False
    others: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def build_warnings(self) -> tuple[DataWarning, ...]:
        """Return what the status says of them."""
        name = reasons.STATEMENT_CONTRADICTED.name
        return tuple(DataWarning(reason=name, message=message) for message in self.messages)


def find_contradictions(subject: Subject, sources: Sequence[Source], accounts: Sequence[CardAccount]) -> Contradictions:
    """Compare relation and handle with the accounts' profiles.

    None of it is a reason to refuse: handles change, and an old export has the old one. A file of posts has no profile
    and contradicts nothing; a handle is compared with accounts of its own network alone, as people have other names
    elsewhere.
    """
    present = [one for one in accounts if one.source < len(sources)]  # the bucket's list may have been replaced
    handles = [one.handle for one in present if one.handle and _is_same_network(sources[one.source], subject.handle)]
    others = tuple(dict.fromkeys(handle for handle in handles if handle.lower() != subject.handle.lower()))
    elsewhere = bool(others) and len(others) == len(set(handles))
    shown = others[0] if elsewhere else subject.handle
    real = next((one for one in present if one.handle or one.display_name), None)
    if subject.relation == "Fictional" and real:
        return Contradictions(shown, relation=True, others=others, messages=(_deny_fiction(real),))
    if others and (elsewhere or subject.relation == "Self"):
        relation = subject.relation in ("Self", "Consented")
        return Contradictions(shown, relation=relation, others=others, messages=(_deny_handle(subject, others),))
    return Contradictions(shown, others=others)


def _is_same_network(source: Source, handle: str) -> bool:
    """Tell whether a handle can be the name of this source's account: handles of Bluesky are domains."""
    match source.kind:
        case ArchiveSource() | XSource():
            return "." not in handle
        case BlueskySource():
            return "." in handle
    return False


def _deny_fiction(account: CardAccount) -> str:
    whose = f"@{account.handle}" if account.handle else account.display_name
    return (
        f"spec.subject.relation is Fictional, but sources[{account.source}] is the account of {whose}, with a profile. "
        "The model card leaves out that nobody real is imitated. Set relation to Self, Consented or Parody if it is "
        "somebody's account."
    )


def _deny_handle(subject: Subject, others: tuple[str, ...]) -> str:
    names = " and ".join(f"@{handle}" for handle in others)
    without = ", without the relation" if subject.relation in ("Self", "Consented") else ""
    return (
        f"spec.subject.handle is {subject.handle}, but posts are those of {names}. The model card says so{without}. "
        "Correct the handle, or give the account's own posts."
    )
