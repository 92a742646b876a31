"""How a TweetBot's model is fine-tuned: `spec.training`."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import NUMBER, Part, Rule, make_matcher

#: Label tokens per optimizer step where the spec leaves them unset: of a published base, and of random weights.
PRETRAINED_BATCH_TOKENS, SCRATCH_BATCH_TOKENS = 1024, 128
#: huggingtweets: how many shuffled copies of the posts make the stream, and the tokens per block that it is cut into.
COPIES, BLOCK = 4, 1024


class Training(Part):
    """How the model is fine-tuned. The defaults of unset values depend on the base: docs/api-reference.md."""

    recipe: Literal["tweetbot", "huggingtweets"] = "tweetbot"
    """tweetbot trains on each post separately and keeps the best weights; huggingtweets is the 2021 notebook."""
    epochs: int = Field(4, ge=1, le=100)
    """Maximum number of passes over the training posts."""
    learning_rate: str | None = Field(None, max_length=20)
    """Peak learning rate, as a quoted number such as "3e-4". When unset: 1.372e-4 for a GPT-2; with
    method LoRA 1.4e-3, or 2e-3 in under 100 steps; of other bases by their width (docs/models.md); 1.4e-3 for
    scratch://mini and 3e-4 for scratch://small."""
    batch_tokens: int | None = Field(None, ge=64, le=1048576)
    """Label tokens per optimizer step. When unset: 1024, or 128 for scratch:// bases."""
    seed: int = Field(42, ge=0, le=4294967295)
    """Random seed of initial weights, the order of posts, and dropout."""
    precision: Literal["Auto", "FP32", "BF16"] = "Auto"
    """Number format of training. Auto is BF16 where a short measurement finds it clearly faster, else FP32."""
    holdout_percent: int = Field(10, ge=5, le=30)
    """Percent of the posts held out for validation. As many again, the newest ones, are held out for the test."""
    early_stopping: bool = True
    """true keeps the weights of the epoch with the lowest validation loss and stops once that loss has clearly risen,
    if there are 50 validation posts, or 5 when at most 500 posts were kept. false trains all epochs and keeps the last
    weights."""
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
            lambda part: part.recipe != "huggingtweets" or part.keeps_original_procedure,
            field="recipe",
        ),
    )

    @property
    def keeps_original_procedure(self) -> bool:
        """Whether learning rate, batch size, epochs and precision are those of huggingtweets."""
        unset = self.learning_rate is None and self.batch_tokens is None
        return unset and self.epochs == 4 and self.precision != "BF16"
