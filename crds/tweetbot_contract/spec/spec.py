"""What a user asks for: the `spec` of a TweetBot. The CRD is rendered from these types; a field that is here works."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.lifecycle import History, RunPolicy, Schedule
from tweetbot_contract.spec.model import Model
from tweetbot_contract.spec.output import Output
from tweetbot_contract.spec.parts import Part, Rule, make_matcher
from tweetbot_contract.spec.scheduling import Resources, Scheduling
from tweetbot_contract.spec.sources import SecretKey, Source
from tweetbot_contract.spec.training import Training

LANGUAGE = r"^[a-z]{2,3}$"


class Subject(Part):
    """Whose posts these are."""

    handle: str = Field(min_length=1, max_length=64, description="The account's name, without @.")
    relation: Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"] = Field(
        "Unspecified", description="What the person has to do with this bot; it stands in the model card."
    )
    display_name: str | None = Field(None, max_length=100, description="The name for the card; the handle when unset.")
    consent_ref: str | None = Field(
        None, max_length=512, description="Where the consent is on record; it stands in the manifest."
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.handle.matches('^[A-Za-z0-9_.-]+$')",
            "write the handle without @: letters, digits, underscores, dots or hyphens",
            lambda part: make_matcher(r"^[A-Za-z0-9_.-]+$")(part.handle),
            field="handle",
        ),
    )


class Filter(Part):
    """How posts are cleaned. The recipe `huggingtweets` is the original's exact procedure and takes no other option."""

    recipe: Literal["modern", "huggingtweets"] = Field(
        "modern", description="modern: every option below. huggingtweets: bit for bit the rules of the 2021 notebook."
    )
    min_words: int | None = Field(
        None, ge=1, le=50, description="Drop posts with fewer words, links, mentions and tags apart. modern: 3."
    )
    replies: Literal["Keep", "Drop"] | None = Field(None, description="Whether replies count. modern: Keep.")
    deduplicate: bool | None = Field(None, description="Drop posts that nearly repeat an earlier one. modern: true.")
    redact_pii: bool | None = Field(
        None,
        alias="redactPII",
        description="Replace e-mail and IP addresses, phone, card and account numbers, keys. modern: true.",
    )
    mentions: Literal["Keep", "Replace"] | None = Field(
        None, description="Whether @names stay or become @user. modern: Keep."
    )
    languages: tuple[Annotated[str, Field(max_length=10)], ...] = Field(
        (),
        max_length=20,
        description=(
            "Keep only posts in these languages (ISO 639, e.g. en), by their label or, without one, by "
            "their text; all: []."
        ),
    )
    exclude_ids: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = Field(
        (), max_length=1000, description="Posts that count as never made, by id: deleted ones. For either recipe."
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.recipe != 'huggingtweets' || !(has(self.minWords) || has(self.replies) || has(self.deduplicate) || "
            "has(self.redactPII) || has(self.mentions) || size(self.languages) > 0)",
            "recipe huggingtweets is the original's exact procedure and takes no options: "
            "remove them, or use recipe: modern",
            lambda part: part.recipe != "huggingtweets" or part.takes_no_options,
            field="recipe",
        ),
        Rule(
            "self.languages.all(code, code.matches('^[a-z]{2,3}$'))",
            "write languages as ISO 639 codes such as en or ja",
            lambda part: all(make_matcher(LANGUAGE)(code) for code in part.languages),
            field="languages",
        ),
    )

    @property
    def takes_no_options(self) -> bool:
        """Tell whether every option beside the recipe is unset."""
        options = (self.min_words, self.replies, self.deduplicate, self.redact_pii, self.mentions)
        return all(option is None for option in options) and not self.languages


class Gates(Part):
    """What a model must reach to be published; one that does not is kept beside. Advisory under 50 test posts."""

    max_verbatim_percent: int | None = Field(
        None,
        ge=0,
        le=100,
        description=(
            "Most samples of 1,000, in percent, that may repeat 50 characters of a training post. "
            "20 if unset; scratch:// bases: no limit."
        ),
    )
    min_improvement_percent: int | None = Field(
        None, ge=1, le=99, description="By how much bits per byte on the test posts must fall below the base's."
    )


class Evaluation(Part):
    """What is asked of the finished model."""

    prompts: tuple[Annotated[str, Field(min_length=1, max_length=280)], ...] = Field(
        ("My dream is",), min_length=1, max_length=10, description="Beginnings that the samples continue."
    )
    samples: int = Field(5, ge=1, le=20, description="Samples for each prompt.")
    gates: Gates = Field(Gates(), description="What the model must reach to be published.")


class WandB(Part):
    """Weights & Biases. A dead server or a bad key never fails a run."""

    project: str = Field("huggingtweets", min_length=1, max_length=128, description="The W&B project.")
    entity: str | None = Field(None, max_length=128, description="Team or user; the key's own when unset.")
    mode: Literal["Auto", "Online", "Offline", "Disabled"] = Field(
        "Auto", description="Auto: Online with a key, else Offline, the run then lies in S3 and can be synced later."
    )
    api_key_secret: SecretKey | None = Field(None, description="The Secret key with the W&B API key.")
    base_url: str | None = Field(None, alias="baseURL", max_length=512, description="A W&B server of your own.")
    log_text: bool = Field(False, description="Whether the posts' text may go to W&B; counts always do.")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode != 'Online' || has(self.apiKeySecret)",
            "mode Online needs apiKeySecret; without a key write mode: Offline",
            lambda part: part.mode != "Online" or part.api_key_secret is not None,
            field="mode",
        ),
        Rule(
            "!has(self.baseURL) || self.baseURL.matches('^https?://[^ ]+$')",
            "write the server's address as https://host or http://host:port",
            lambda part: make_matcher(r"^https?://[^ ]+$")(part.base_url),
            field="baseURL",
        ),
    )


class Tracking(Part):
    """Where the run is tracked, beside the metrics file that always goes to S3."""

    wandb: WandB = Field(WandB(), description="Weights & Biases.")


class TweetBotSpec(Part):
    """Whose posts become a model, how, and where it goes."""

    subject: Subject = Field(description="Whose posts these are.")
    sources: tuple[Source, ...] = Field(
        min_length=1, max_length=3, description="Where the posts come from; several are mixed into one bot."
    )
    output: Output = Field(description="Where datasets and models go.")
    filter: Filter = Field(Filter(), description="How posts are cleaned.")
    model: Model = Field(Model(), description="The model that is fine-tuned.")
    training: Training = Field(Training(), description="How the model is fine-tuned.")
    evaluation: Evaluation = Field(Evaluation(), description="What is asked of the finished model.")
    tracking: Tracking = Field(Tracking(), description="Where the run is tracked.")
    resources: Resources = Field(Resources(), description="What a training Pod gets.")
    scheduling: Scheduling = Field(Scheduling(), description="When and on which nodes Pods run.")
    service_account_name: str | None = Field(
        None, max_length=253, description="The Pods' service account, for workload identity; no token is mounted."
    )
    run: RunPolicy = Field(RunPolicy(), description="How long and how often a run is tried.")
    suspend: bool = Field(False, description="true stops the run; it goes on when this is false again.")
    schedule: Schedule | None = Field(None, description="When another run starts by itself; unset: never.")
    deletion_policy: Literal["Retain", "Delete"] = Field(
        "Retain",
        description="What becomes of this bot's objects in S3 when it is deleted; its namespace's end erases none.",
    )
    history: History = Field(History(), description="How much is kept of what was before.")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.sources.all(source, has(source.weight)) || self.sources.all(source, !has(source.weight))",
            "give every source a weight, or none",
            lambda part: len({source.weight is None for source in part.sources}) == 1,
            field="sources",
        ),
        Rule(
            "self.training.recipe != 'huggingtweets' || !self.sources.exists(source, has(source.weight))",
            "recipe huggingtweets repeats the posts of smaller sources until all are of one length: "
            "remove the weights, or use recipe: tweetbot",
            lambda part: (
                part.training.recipe != "huggingtweets" or all(source.weight is None for source in part.sources)
            ),
            field="training.recipe",
        ),
        Rule(
            "self.training.recipe != 'huggingtweets' || self.model.method != 'LoRA'",
            "recipe huggingtweets is the original's exact procedure and trains every weight: "
            "remove method: LoRA, or use recipe: tweetbot",
            lambda part: part.training.recipe != "huggingtweets" or part.model.method != "LoRA",
            field="model.method",
        ),
        Rule(
            "!has(self.evaluation.gates.minImprovementPercent) || !self.model.base.startsWith('scratch://')",
            "a scratch:// base has learned nothing to improve on: remove minImprovementPercent, or choose another base",
            lambda part: (
                part.evaluation.gates.min_improvement_percent is None or not part.model.base.startswith("scratch://")
            ),
            field="evaluation.gates.minImprovementPercent",
        ),
        Rule(
            "self.output.s3.uri == oldSelf.output.s3.uri",
            "output.s3.uri cannot change, or older models would be lost from sight: create another TweetBot",
            lambda part: True,  # needs the stored object; only the API server has one
            field="output.s3.uri",
        ),
        Rule(
            "has(self.output.s3.endpoint) == has(oldSelf.output.s3.endpoint) && "
            "(!has(self.output.s3.endpoint) || self.output.s3.endpoint == oldSelf.output.s3.endpoint)",
            "output.s3.endpoint cannot change, or older models would be lost from sight: create another TweetBot",
            lambda part: True,
            field="output.s3.endpoint",
        ),
    )
