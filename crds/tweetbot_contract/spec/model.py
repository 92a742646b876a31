"""Which model is fine-tuned, and how much of it."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import DOT_SEGMENT, Part, Rule, has_no_dot_segments, make_matcher

#: What a base may look like, in RE2 and Python alike.
BASE = (
    "^(hf://[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+"
    "|pvc://[a-z0-9][a-z0-9.-]{0,252}(/[^/]+)*|scratch://(mini|small))$"
)
PVC_SCHEME = "pvc://"


class Lora(Part):
    """The size of a LoRA adapter: each linear layer W becomes W + alpha/rank * A B, and only A and B are trained."""

    rank: int = Field(16, ge=1, le=256, description="Columns of A and rows of B: what the adapter can hold.")
    alpha: int = Field(32, ge=1, le=1024, description="The adapter counts alpha/rank times.")


class Model(Part):
    """The model that is fine-tuned."""

    base: str = Field(
        "hf://gpt2",
        max_length=1024,
        description=(
            "hf://gpt2 (a GPT-2 of the Hugging Face Hub), s3://bucket/folder or pvc://claim/folder (one in "
            "safetensors, in a bucket or a PersistentVolumeClaim of this namespace), or scratch://mini and "
            "scratch://small (four and six small layers from nothing, for trials)."
        ),
    )
    revision: str | None = Field(
        None, max_length=64, description="Branch, tag or commit of an hf:// base; pin a commit to repeat."
    )
    method: Literal["Full", "LoRA"] = Field(
        "Full",
        description=(
            "Full: every weight is trained. LoRA: an adapter on every linear layer, a hundredth of the "
            "weights; the model is published merged, the adapter beside it in PEFT's format."
        ),
    )
    lora: Lora | None = Field(None, description="The adapter's size, for method LoRA.")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.base.matches('{BASE}')",
            "write the base as hf://gpt2, hf://owner/name, s3://bucket/folder, pvc://claim/folder, scratch://mini or "
            "scratch://small",
            lambda part: make_matcher(BASE)(part.base),
            field="base",
        ),
        Rule(
            f"!self.base.matches('{DOT_SEGMENT}')",
            "write the base without the steps . and ..",
            lambda part: has_no_dot_segments(part.base),
            field="base",
        ),
        Rule(
            "!has(self.revision) || self.base.startsWith('hf://')",
            "revision belongs to an hf:// base only: remove it",
            lambda part: part.revision is None or part.base.startswith("hf://"),
            field="revision",
        ),
        Rule(
            "self.method != 'LoRA' || !self.base.startsWith('scratch://')",
            "a scratch:// base has learned nothing that an adapter could build on: "
            "remove method: LoRA, or choose another base",
            lambda part: part.method != "LoRA" or not part.base.startswith("scratch://"),
            field="method",
        ),
        Rule(
            "!has(self.lora) || self.method == 'LoRA'",
            "lora gives the size of an adapter: write method: LoRA too, or remove lora",
            lambda part: part.lora is None or part.method == "LoRA",
            field="lora",
        ),
    )

    @property
    def pvc_name(self) -> str | None:
        """Return the name of the PersistentVolumeClaim that holds the base, where it lies in one."""
        return self.base.removeprefix(PVC_SCHEME).partition("/")[0] if self.base.startswith(PVC_SCHEME) else None
