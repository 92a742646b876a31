"""How a TweetBot's model is fine-tuned: `spec.training`."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import NUMBER, Part, Rule, make_matcher


class Training(Part):
    """How the model is fine-tuned. Unset values follow the base; docs/api-reference.md gives them."""

    recipe: Literal["tweetbot", "huggingtweets"] = Field(
        "tweetbot",
        description="tweetbot: posts apart, the best weights kept. huggingtweets: the 2021 notebook's procedure.",
    )
    epochs: int = Field(4, ge=1, le=100, description="Passes over the training posts at the most.")
    learning_rate: str | None = Field(
        None,
        max_length=20,
        description=(
            'Peak learning rate, e.g. "3e-4". If unset 1.372e-4; for method LoRA 1.4e-3, or 2e-3 in under '
            "100 steps; for scratch://mini 1.4e-3, for scratch://small 3e-4."
        ),
    )
    batch_tokens: int | None = Field(
        None, ge=64, le=1048576, description="Label tokens a step; 1024, or 128 for scratch:// bases."
    )
    seed: int = Field(42, ge=0, le=4294967295, description="Seed of weights, order and dropout.")
    precision: Literal["Auto", "FP32", "BF16"] = Field(
        "Auto", description="Auto: BF16 where the processor computes it, else FP32."
    )
    holdout_percent: int = Field(
        10, ge=5, le=30, description="Share of the posts for validation, and the same again, the newest, for test."
    )
    early_stopping: bool = Field(
        True,
        description=(
            "Keep the weights of the epoch with the lowest validation loss, and end before the last epoch "
            "once that loss has clearly risen. Else train all epochs and keep the last weights."
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.learningRate) || self.learningRate.matches('{NUMBER}') && "
            "double(self.learningRate) > 0.0 && double(self.learningRate) <= 1.0",
            'write learningRate as a quoted number above 0 and at most 1, such as "3e-4"',
            lambda part: (
                part.learning_rate is None
                or (make_matcher(NUMBER)(part.learning_rate) and 0 < float(part.learning_rate) <= 1)
            ),
            field="learningRate",
        ),
        Rule(
            "self.recipe != 'huggingtweets' || "
            "!(has(self.learningRate) || has(self.batchTokens) || self.epochs != 4 || self.precision == 'BF16')",
            "recipe huggingtweets is the original's exact procedure: remove learningRate, batchTokens, epochs and "
            "precision, or use recipe: tweetbot",
            lambda part: part.recipe != "huggingtweets" or part.changes_nothing_of_the_original,
            field="recipe",
        ),
    )

    @property
    def changes_nothing_of_the_original(self) -> bool:
        """Tell whether rate, batch, passes and number format are left as huggingtweets had them."""
        unset = self.learning_rate is None and self.batch_tokens is None
        return unset and self.epochs == 4 and self.precision != "BF16"
