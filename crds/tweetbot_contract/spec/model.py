"""Which model is fine-tuned, and with which method."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import DOT_SEGMENT, Part, Rule, build_pattern_rule, has_no_dot_segments
from tweetbot_contract.spec.sources import SecretKey

#: The accepted forms of a base, valid in RE2 and in Python.
BASE = (
    "^(hf://[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+"
    "|pvc://[a-z0-9][a-z0-9.-]{0,252}(/[^/]+)*|scratch://(mini|small))$"
)
PVC_SCHEME = "pvc://"


class Lora(Part):
    """The size of a LoRA adapter: each linear layer W becomes W + alpha/rank * A B, and only A and B are trained."""

    rank: int = Field(16, ge=1, le=256)
    """Rank of the LoRA adapter, which bounds what it can learn."""
    alpha: int = Field(32, ge=1, le=1024)
    """Scale of the LoRA adapter: its output is multiplied by alpha/rank."""


class Model(Part):
    """The model to fine-tune."""

    base: str = Field("hf://gpt2", max_length=1024)
    """The base model to start from, a GPT-2, SmolLM2, Llama 3.2, Qwen2.5 or Qwen3: hf://gpt2 or hf://owner/name
    (Hugging Face Hub), s3://bucket/folder, pvc://claim/folder (a PersistentVolumeClaim of this namespace), or, for
    trials, scratch://mini or scratch://small, which start from random weights with four or six layers."""
    revision: str | None = Field(None, max_length=64)
    """Branch, tag or commit of an hf:// base. Pin a commit to make runs reproducible."""
    token_secret: SecretKey | None = None
    """Secret key that holds a Hugging Face token, for an hf:// base that is gated or private."""
    method: Literal["Full", "LoRA"] = "Full"
    """Full trains every weight. LoRA trains an adapter on every linear layer, about 2 % of gpt2's weights; the
    published model has it merged in, and the adapter is stored beside it in PEFT's format."""
    lora: Lora | None = None
    """Size of the adapter; only with method LoRA."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule(
            "base",
            BASE,
            "write the base as hf://gpt2, hf://owner/name, s3://bucket/folder, pvc://claim/folder, scratch://mini or "
            "scratch://small",
        ),
        Rule(
            f"!self.base.matches('{DOT_SEGMENT}')",
            "write the base without . and .. segments",
            lambda part: has_no_dot_segments(part.base),
            field="base",
        ),
        Rule(
            "!has(self.revision) || self.base.startsWith('hf://')",
            "remove revision: only an hf:// base has one",
            lambda part: part.revision is None or part.base.startswith("hf://"),
            field="revision",
        ),
        Rule(
            "!has(self.tokenSecret) || self.base.startsWith('hf://')",
            "remove tokenSecret: only an hf:// base is read with one",
            lambda part: part.token_secret is None or part.base.startswith("hf://"),
            field="tokenSecret",
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
            "lora is the size of an adapter: add method: LoRA, or remove lora",
            lambda part: part.lora is None or part.method == "LoRA",
            field="lora",
        ),
    )
