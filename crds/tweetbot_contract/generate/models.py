"""Render docs/models.md from the table of families."""

from collections.abc import Iterator

from tweetbot_contract.spec.families import Family, KnownBase, Refusal
from tweetbot_contract.spec.known_bases import FAMILIES, OTHER_TYPES
from tweetbot_contract.spec.memory import GIB, Load, MemoryNeed
from tweetbot_contract.spec.model import Lora
from tweetbot_contract.spec.training import PRETRAINED_BATCH_TOKENS

_HEAD = """# Base models

`model.base` is a base of one of these families, in any size: from the Hugging Face Hub, a bucket or a claim
([training](training.md#base-models) says how each is read). What cannot be trained is refused when the run is prepared,
before posts are paid for and a GPU is waited for, with the key of config.json and the reason.

"""
_MARKS = """
A post lies between the two marks, in training, in generation and in the published tokenizer. `precision: Auto` decides
by a measurement, in all families ([decision 57](decisions/0057-precision-by-measurement.md)). Of a longer context the
model sees {context:,} tokens at once in training and drafts; the published model keeps its own.

Rates are those of unset `training.learningRate`; adapters take {short} times that of a full training where there are
under 100 steps. Those of GPT-2 are huggingtweets', the others a published fit to the width
([decision 92](decisions/0092-families-by-one-table.md)). They were not tuned here.

"""
_CHAT = """
## Bases, and models for chat

Only bases are taken: a model that was tuned for chat answers instead of going on, and has unlearned what people write.
What tells them apart is the token that ends a text. A base ends texts with the mark of its family alone; where
config.json, generation_config.json or tokenizer_config.json name a mark that ends a turn (`<|im_end|>`, `<|eot_id|>`),
the model was tuned for chat and is refused, with the name of its base where that is known. A chat template tells
nothing: the bases of Qwen have one, too.

## Tokenizers

tokenizer.json must be byte-level, and know the marks of one family. Added tokens are ordinary entries. A tokenizer may
have fewer entries than there are embeddings, as Qwen's do: what has no token is trained with the rest, and never
written. One with more is refused.

## What of config.json is read, and what is refused

Other keys have no effect. A key that is missing, null or false is never refused.

"""
_MEMORY = """
## Memory

Of unset `resources.memory`, 16Gi, a known base takes more if it needs more: what it has room in. Below the first figure
a run is refused (`BaseModelTooLarge`), below the second it recomputes: activations of each layer are dropped after the
forward pass and computed again for the backward pass, and the head is computed in parts. That is the same training to
the bit on a CPU, about a third slower; the card and the log's `train.memory` say so. In the third it has room without.
In GiB, with `batchTokens` and `lora` unset:

"""
_GPU = """
Beside a GPU the Pod needs less, and the GPU's memory is looked at before the first step. By arithmetic, in bfloat16;
nothing was measured on a GPU:

"""


_DISK = """
## Disk

Base, checkpoint, best weights and model take up to 24 bytes of `/work` for each weight of a full training, and 8 with
LoRA. Above 0.8 billion weights have the operator's setting `workSize` raised from 20Gi, or a run may end in `DiskFull`.
"""
_FAMILY_HEAD = ("family", "`model_type`", "a post lies between", "LoRA adapts")
_CPU_HEAD = ("training on a CPU", "refused below", "recomputes below", "has room in")
_GPU_HEAD = ("training on a GPU", *_CPU_HEAD[1:], "Pod: refused below", "Pod: has room in")


def render_models() -> str:
    """Return the page of base models, as Markdown."""
    parts = [
        _HEAD,
        _render_table(("family", "base on the Hub", "weights", "rate, all weights", "rate, LoRA"), _list_bases()),
        "\n",
        _render_table(_FAMILY_HEAD, map(_describe_family, FAMILIES)),
        _MARKS.format(context=2048, short="one and a half"),
        _CHAT,
        _render_table(("key", "why it is refused"), _list_refusals()),
        f"\nRead are, of GPT-2: {_join(FAMILIES[0].keys)}. Of the others: {_join(FAMILIES[1].keys)}.\n",
        f"\nOther architectures are refused by their `model_type`: {_join_types()}.\n",
        _MEMORY,
        _render_table(_CPU_HEAD, _list_needs(gpu=False)),
        _GPU,
        _render_table(_GPU_HEAD, _list_needs(gpu=True)),
        _DISK,
    ]
    return "".join(parts)


def _render_table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> str:
    cells = (head, ("---",) * len(head), *lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _list_bases() -> Iterator[tuple[str, ...]]:
    for family in FAMILIES:
        for base in family.bases:
            rates = family.find_rates(base.shape.channels)
            licence = " (accept its licence, and give `model.tokenSecret`)" if base.gated else ""
            yield (
                family.name,
                f"`hf://{base.names[-1]}`{licence}",
                f"{base.shape.weights / 1e6:,.0f} million",
                _format_rate(rates.full),
                _format_rate(rates.adapters),
            )


def _describe_family(family: Family) -> tuple[str, ...]:
    marks = " and ".join(f"`{mark}`" for mark in dict.fromkeys((family.begin_mark, family.end_mark)))
    return family.name, f"`{family.model_type}`", _escape(marks), _join(family.lora_targets)


def _list_refusals() -> Iterator[tuple[str, ...]]:
    """Yield a line for each reason, with all keys that are refused for it."""
    found = dict.fromkeys(each for family in FAMILIES for each in family.refused)
    for why in dict.fromkeys(each.why for each in found):
        yield ", ".join(_describe(each) for each in found if each.why == why), why


def _describe(refusal: Refusal) -> str:
    return f"`{refusal.key}`" + (f" other than `{refusal.taken[0]}`" if refusal.taken else "")


def _list_needs(*, gpu: bool) -> Iterator[tuple[str, ...]]:
    for family in FAMILIES:
        for base in family.bases:
            for method, rank in (("all weights", None), ("LoRA", Lora().rank)):
                load = Load(base.shape, rank, PRETRAINED_BATCH_TOKENS)
                yield f"{_get_short_name(base)}, {method}", *_describe_need(load, gpu=gpu)


def _describe_need(load: Load, *, gpu: bool) -> Iterator[str]:
    yield from _format(load.estimate_gpu() if gpu else load.estimate_pod(gpu=False))
    if gpu:
        pod = load.estimate_pod(gpu=True)
        yield from (_format_size(pod.least), _format_size(pod.enough))


def _format(need: MemoryNeed) -> Iterator[str]:
    return (_format_size(size) for size in (need.least, need.plain, need.enough))


def _format_size(size: int) -> str:
    return f"{size / GIB:.1f}"


def _format_rate(rate: float) -> str:
    digits, _, power = f"{rate:.3e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def _get_short_name(base: KnownBase) -> str:
    return base.names[-1].rpartition("/")[2]


def _join(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _join_types() -> str:
    reasons = dict.fromkeys(OTHER_TYPES.values())
    groups = ((why, tuple(name for name, own in OTHER_TYPES.items() if own == why)) for why in reasons)
    return "; ".join(f"{_join(names)}, as {why}" for why, names in groups)


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
