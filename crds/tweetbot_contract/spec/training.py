"""How a TweetBot's model is fine-tuned: `spec.training`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import NUMBER, Part, Rule, make_matcher


class Training(Part):
    """How the model is fine-tuned. Unset values follow the base; docs/api-reference.md gives them."""

    recipe: Annotated[
        Literal["tweetbot", "huggingtweets"],
        Field(
            description="tweetbot: posts apart, the best weights kept. huggingtweets: the 2021 notebook's procedure."
        ),
    ] = "tweetbot"
    epochs: Annotated[int, Field(ge=1, le=100, description="Passes over the training posts at the most.")] = 4
    learning_rate: Annotated[
        str | None,
        Field(
            max_length=20,
            description='Peak learning rate, e.g. "3e-4". If unset 1.372e-4; for method LoRA 1.4e-3, or 2e-3 in under '
            "100 steps; for scratch://mini 1.4e-3, for scratch://small 3e-4.",
        ),
    ] = None
    batch_tokens: Annotated[
        int | None, Field(ge=64, le=1048576, description="Label tokens a step; 1024, or 128 for scratch:// bases.")
    ] = None
    seed: Annotated[int, Field(ge=0, le=4294967295, description="Seed of weights, order and dropout.")] = 42
    precision: Annotated[
        Literal["Auto", "FP32", "BF16"], Field(description="Auto: BF16 where the processor computes it, else FP32.")
    ] = "Auto"
    holdout_percent: Annotated[
        int,
        Field(ge=5, le=30, description="Share of the posts for validation, and the same again, the newest, for test."),
    ] = 10
    early_stopping: Annotated[
        bool,
        Field(
            description="Keep the weights of the epoch with the lowest validation loss, and end before the last epoch "
            "once that loss has clearly risen. Else train all epochs and keep the last weights."
        ),
    ] = True
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
