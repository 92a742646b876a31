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

    handle: Annotated[str, Field(min_length=1, max_length=64, description="The account's name, without @.")]
    relation: Annotated[
        Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"],
        Field(description="What the person has to do with this bot; it stands in the model card."),
    ] = "Unspecified"
    display_name: Annotated[
        str | None, Field(max_length=100, description="The name for the card; the handle when unset.")
    ] = None
    consent_ref: Annotated[
        str | None, Field(max_length=512, description="Where the consent is on record; it stands in the manifest.")
    ] = None
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

    recipe: Annotated[
        Literal["modern", "huggingtweets"],
        Field(description="modern: every option below. huggingtweets: bit for bit the rules of the 2021 notebook."),
    ] = "modern"
    min_words: Annotated[
        int | None,
        Field(ge=1, le=50, description="Drop posts with fewer words, links, mentions and tags apart. modern: 3."),
    ] = None
    replies: Annotated[Literal["Keep", "Drop"] | None, Field(description="Whether replies count. modern: Keep.")] = None
    deduplicate: Annotated[
        bool | None, Field(description="Drop posts that nearly repeat an earlier one. modern: true.")
    ] = None
    redact_pii: Annotated[
        bool | None,
        Field(
            alias="redactPII",
            description="Replace e-mail and IP addresses, phone, card and account numbers, keys. modern: true.",
        ),
    ] = None
    mentions: Annotated[
        Literal["Keep", "Replace"] | None,
        Field(description="Whether @names stay or become @user. modern: Keep."),
    ] = None
    languages: Annotated[
        tuple[Annotated[str, Field(max_length=10)], ...],
        Field(
            max_length=20,
            description="Keep only posts in these languages (ISO 639, e.g. en), by their label or, without one, by "
            "their text; all: [].",
        ),
    ] = ()
    exclude_ids: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128)], ...],
        Field(max_length=1000, description="Posts that count as never made, by id: deleted ones. For either recipe."),
    ] = ()
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

    max_verbatim_percent: Annotated[
        int | None,
        Field(
            ge=0,
            le=100,
            description="Most samples of 1,000, in percent, that may repeat 50 characters of a training post. "
            "20 if unset; scratch:// bases: no limit.",
        ),
    ] = None
    min_improvement_percent: Annotated[
        int | None,
        Field(ge=1, le=99, description="By how much bits per byte on the test posts must fall below the base's."),
    ] = None


class Evaluation(Part):
    """What is asked of the finished model."""

    prompts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=280)], ...],
        Field(min_length=1, max_length=10, description="Beginnings that the samples continue."),
    ] = ("My dream is",)
    samples: Annotated[int, Field(ge=1, le=20, description="Samples for each prompt.")] = 5
    gates: Annotated[Gates, Field(description="What the model must reach to be published.")] = Gates()


class WandB(Part):
    """Weights & Biases. A dead server or a bad key never fails a run."""

    project: Annotated[str, Field(min_length=1, max_length=128, description="The W&B project.")] = "huggingtweets"
    entity: Annotated[str | None, Field(max_length=128, description="Team or user; the key's own when unset.")] = None
    mode: Annotated[
        Literal["Auto", "Online", "Offline", "Disabled"],
        Field(description="Auto: Online with a key, else Offline, the run then lies in S3 and can be synced later."),
    ] = "Auto"
    api_key_secret: Annotated[SecretKey | None, Field(description="The Secret key with the W&B API key.")] = None
    base_url: Annotated[str | None, Field(alias="baseURL", max_length=512, description="A W&B server of your own.")] = (
        None
    )
    log_text: Annotated[bool, Field(description="Whether the posts' text may go to W&B; counts always do.")] = False
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

    wandb: Annotated[WandB, Field(description="Weights & Biases.")] = WandB()


class TweetBotSpec(Part):
    """Whose posts become a model, how, and where it goes."""

    subject: Annotated[Subject, Field(description="Whose posts these are.")]
    sources: Annotated[
        tuple[Source, ...],
        Field(min_length=1, max_length=3, description="Where the posts come from; several are mixed into one bot."),
    ]
    output: Annotated[Output, Field(description="Where datasets and models go.")]
    filter: Annotated[Filter, Field(description="How posts are cleaned.")] = Filter()
    model: Annotated[Model, Field(description="The model that is fine-tuned.")] = Model()
    training: Annotated[Training, Field(description="How the model is fine-tuned.")] = Training()
    evaluation: Annotated[Evaluation, Field(description="What is asked of the finished model.")] = Evaluation()
    tracking: Annotated[Tracking, Field(description="Where the run is tracked.")] = Tracking()
    resources: Annotated[Resources, Field(description="What a training Pod gets.")] = Resources()
    scheduling: Annotated[Scheduling, Field(description="When and on which nodes Pods run.")] = Scheduling()
    service_account_name: Annotated[
        str | None,
        Field(max_length=253, description="The Pods' service account, for workload identity; no token is mounted."),
    ] = None
    run: Annotated[RunPolicy, Field(description="How long and how often a run is tried.")] = RunPolicy()
    suspend: Annotated[bool, Field(description="true stops the run; it goes on when this is false again.")] = False
    schedule: Annotated[Schedule | None, Field(description="When another run starts by itself; unset: never.")] = None
    deletion_policy: Annotated[
        Literal["Retain", "Delete"],
        Field(
            description="What becomes of this bot's objects in S3 when it is deleted; its namespace's end erases none."
        ),
    ] = "Retain"
    history: Annotated[History, Field(description="How much is kept of what was before.")] = History()
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
