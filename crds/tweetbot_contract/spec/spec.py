"""What a user asks for: the `spec` of a TweetBot. The CRD is rendered from these types."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.lifecycle import MODEL_VERSION, History, RunPolicy, Schedule
from tweetbot_contract.spec.model import Model
from tweetbot_contract.spec.output import Output
from tweetbot_contract.spec.parts import HTTP_URL, Part, Rule, build_pattern_rule, make_matcher
from tweetbot_contract.spec.scheduling import Resources, Scheduling
from tweetbot_contract.spec.sources import SecretKey, Source
from tweetbot_contract.spec.training import Training

LANGUAGE = r"^[a-z]{2,3}$"


class ConfigMapKey(Part):
    """One key of a ConfigMap in the TweetBot's own namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the ConfigMap, in the TweetBot's namespace."""
    key: str = Field("ca.crt", min_length=1, max_length=253)
    """Key inside the ConfigMap."""


class Subject(Part):
    """The account whose posts the model learns from."""

    handle: str = Field(min_length=1, max_length=64)
    """Name of the account, without @."""
    relation: Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"] = "Unspecified"
    """How the person behind the account relates to this bot (Self: its author); shown in the model card."""
    display_name: str | None = Field(None, max_length=100)
    """Name shown in the model card; the handle when unset."""
    consent_ref: str | None = Field(None, max_length=512)
    """Where the person's consent is recorded, e.g. a URL; written into the model's MANIFEST.json."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule(
            "handle", "^[A-Za-z0-9_.-]+$", "write the handle without @: letters, digits, underscores, dots or hyphens"
        ),
    )


def may_be_public(relation: str, consent_ref: str | None) -> bool:
    """Tell whether a model may be published where everybody sees it: nobody may be imitated there unasked."""
    return relation in ("Self", "Fictional", "Parody") or (relation == "Consented" and bool(consent_ref))


class Filter(Part):
    """How posts are cleaned. Recipe huggingtweets is the original's exact procedure and takes no options."""

    recipe: Literal["modern", "huggingtweets"] = "modern"
    """modern follows the options of spec.filter. huggingtweets follows the rules of the 2021 notebook bit for bit and
    takes none of these options but excludeIds."""
    min_words: int | None = Field(None, ge=1, le=50)
    """Drop posts with fewer words, not counting links, mentions and hashtags. Recipe modern: 3 if unset."""
    replies: Literal["Keep", "Drop"] | None = None
    """Whether to train on replies to others; replies to oneself, as in threads, always stay. Recipe modern: Keep if
    unset."""
    reply_names: Literal["Keep", "Drop"] | None = None
    """Whether the @names before a reply, which X puts there, stay in its text. Recipe modern: Drop if unset."""
    deduplicate: bool | None = None
    """Drop posts that nearly repeat an earlier one. Recipe modern: true if unset."""
    redact_pii: bool | None = Field(None, alias="redactPII")
    """Replace e-mail and IP addresses, phone, card and account numbers, and keys. Recipe modern: true if unset."""
    mentions: Literal["Keep", "Replace"] | None = None
    """Whether @names stay (Keep) or become @user (Replace). Recipe modern: Replace if unset."""
    languages: tuple[Annotated[str, Field(max_length=10)], ...] = Field((), max_length=20)
    """Keep only posts in these languages (ISO 639, e.g. en), by label or, without one, by text; empty: all."""
    exclude_ids: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = Field((), max_length=1000)
    """Ids of posts to leave out as if they had never been written, e.g. deleted ones. Works with either recipe."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.recipe != 'huggingtweets' || !(has(self.minWords) || has(self.replies) || has(self.deduplicate) || "
            "has(self.redactPII) || has(self.mentions) || has(self.replyNames) || size(self.languages) > 0)",
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
        """Whether every option that the recipe huggingtweets forbids is unset."""
        options = (self.min_words, self.replies, self.reply_names, self.deduplicate, self.redact_pii, self.mentions)
        return all(option is None for option in options) and not self.languages


#: Default of maxVerbatimPercent. A model from scratch has none: it knows only the words of its posts.
MAX_VERBATIM_PERCENT = 20


class Gates(Part):
    """Limits that a model must meet to be published. One that is set is never passed for lack of evidence."""

    max_verbatim_percent: int | None = Field(None, ge=0, le=100)
    """Maximum percent of 1,000 samples that repeat 50 characters of a training post; 20 if unset, scratch:// none."""
    min_improvement_percent: int | None = Field(None, ge=1, le=99)
    """Minimum improvement over the base model, as the percent by which bits per byte on the test posts must fall. With
    fewer than 50 test posts the lower end of the 95 % interval must reach it."""
    min_style: int | None = Field(None, ge=1, le=100)
    """Minimum styleScore in percent: 70 asks for 0.7 of the way from how anybody writes to how the author does. With
    fewer than 50 test posts the lower end of the 95 % interval must reach it."""
    max_regression_percent: int | None = Field(None, ge=0, le=100)
    """Maximum percent by which bits per byte may be above those of the served model on the same test posts; 100 accepts
    anything. If unset, a model that is clearly worse is not published: by more than 2 percent, by the 95 % interval."""


class Evaluation(Part):
    """How the trained model is evaluated."""

    prompts: tuple[Annotated[str, Field(min_length=1, max_length=280)], ...] = Field(
        ("My dream is",), min_length=1, max_length=10
    )
    """Prompts that the sample texts continue."""
    samples: int = Field(5, ge=1, le=20)
    """Number of sample texts per prompt."""
    gates: Gates = Gates()
    """Limits that the model must meet to be published."""


class WandB(Part):
    """Weights & Biases. An unreachable server or a bad key never fails a run."""

    project: str = Field("huggingtweets", min_length=1, max_length=128)
    """Name of the W&B project."""
    entity: str | None = Field(None, max_length=128)
    """W&B team or user; the default entity of the API key when unset."""
    mode: Literal["Auto", "Online", "Offline", "Disabled"] = "Auto"
    """Auto is Online with an API key, else Offline, which stores the run in S3 to be synced to W&B later."""
    api_key_secret: SecretKey | None = None
    """Secret key that holds the W&B API key."""
    base_url: str | None = Field(None, alias="baseURL", max_length=512)
    """URL of your own W&B server; the public W&B service when unset."""
    log_text: bool = False
    """Whether the text of the posts may be sent to W&B; figures about them always are."""
    report: bool = False
    """Whether this TweetBot has a report at W&B: its versions, their training, samples and data tables. The first run
    makes it, and later runs find it again."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            None,  # a class may give the key
            "mode Online needs apiKeySecret; without a key write mode: Offline",
            lambda part: part.mode != "Online" or part.api_key_secret is not None,
            field="mode",
        ),
        Rule(
            "!has(self.report) || !self.report || !has(self.mode) || self.mode == 'Auto' || self.mode == 'Online'",
            "a report is made at W&B: write mode: Auto or Online, or report: false",
            lambda part: not part.report or part.mode in ("Auto", "Online"),
            field="report",
        ),
        build_pattern_rule(
            "baseURL", HTTP_URL, "write the server's address as https://host or http://host:port", optional=True
        ),
    )


class Tracking(Part):
    """Where runs are tracked, beside the metrics file that is always written to S3."""

    wandb: WandB = WandB()
    """Tracking by Weights & Biases."""


class TweetBotSpec(Part):
    """The posts to train on, how to train, and where to publish the model."""

    subject: Subject
    """The account whose posts the model learns from."""
    sources: tuple[Source, ...] = Field(min_length=1, max_length=3)
    """Where the posts come from. Posts of several sources train one model."""
    output: Output
    """Where datasets and models are written. Required, unless the class says where."""
    class_name: str | None = Field(None, min_length=1, max_length=253)
    """TweetBotClass that gives what this spec leaves out, and the platform's rules. When unset: the default class, if
    the cluster has one. A run keeps the class as it was when the run began."""
    filter: Filter = Filter()
    """How posts are cleaned before training."""
    model: Model = Model()
    """The model to fine-tune."""
    training: Training = Training()
    """How the model is fine-tuned."""
    evaluation: Evaluation = Evaluation()
    """How the trained model is evaluated."""
    tracking: Tracking = Tracking()
    """Where runs are tracked, beside the metrics file in S3."""
    resources: Resources = Resources()
    """CPU, memory and accelerator of the training Pod."""
    scheduling: Scheduling = Scheduling()
    """When and on which nodes the Pods are scheduled."""
    service_account_name: str | None = Field(None, max_length=253)
    """Service account of the Pods, for workload identity. No token for the API server is mounted."""
    ca_bundle: ConfigMapKey | None = None
    """Certificates (PEM) of the CAs that the Pods trust beside the public ones, such as a company's own CA. They count
    for every server: S3, APIs of sources, W&B, the model hub."""
    run: RunPolicy = RunPolicy()
    """How long and how often a run is tried."""
    suspend: bool = False
    """true stops the run; false resumes it from its last checkpoint."""
    pin: str | None = Field(None, max_length=32)
    """Version of the model to serve, such as 9108a32a5b6d4c1f, whatever later runs publish; `tweetbot-trainer history`
    lists them. Runs go on and publish beside it. When unset, the newest version that passed its gates is served."""
    schedule: Schedule | None = None
    """When further runs start by themselves. When unset, only an edit or retrain-at starts one."""
    deletion_policy: Literal["Retain", "Delete"] = "Retain"
    """What happens to this TweetBot's objects in S3 when it is deleted. Deleting its whole namespace erases nothing."""
    history: History = History()
    """How many finished runs and older models are kept."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.sources.all(source, has(source.weight)) || self.sources.all(source, !has(source.weight))",
            "give every source a weight, or give none a weight",
            lambda part: len({source.weight is None for source in part.sources}) == 1,
            field="sources",
        ),
        Rule(
            "!has(self.training) || self.training.recipe != 'huggingtweets' || "
            "!self.sources.exists(source, has(source.weight))",
            "recipe huggingtweets repeats the posts of smaller sources until all sources are equally long: "
            "remove the weights, or use recipe: tweetbot",
            lambda part: (
                part.training.recipe != "huggingtweets" or all(source.weight is None for source in part.sources)
            ),
            field="training.recipe",
        ),
        Rule(
            "!has(self.training) || self.training.recipe != 'huggingtweets' || "
            "!has(self.model) || self.model.method != 'LoRA'",
            "recipe huggingtweets is the original's exact procedure and trains every weight: "
            "remove method: LoRA, or use recipe: tweetbot",
            lambda part: part.training.recipe != "huggingtweets" or part.model.method != "LoRA",
            field="model.method",
        ),
        Rule(
            "!has(self.evaluation) || !has(self.evaluation.gates) || "
            "!has(self.evaluation.gates.minImprovementPercent) || "
            "!has(self.model) || !self.model.base.startsWith('scratch://')",
            "a scratch:// base has learned nothing to improve on: remove minImprovementPercent, or choose another base",
            lambda part: (
                part.evaluation.gates.min_improvement_percent is None or not part.model.base.startswith("scratch://")
            ),
            field="evaluation.gates.minImprovementPercent",
        ),
        Rule(
            "!has(self.output) || !has(self.output.huggingFace) || !has(self.output.huggingFace.visibility) || "
            "self.output.huggingFace.visibility != 'Public' || "
            "self.subject.relation in ['Self', 'Fictional', 'Parody'] || "
            "(self.subject.relation == 'Consented' && has(self.subject.consentRef) && self.subject.consentRef != '')",
            "a public model needs the person's word: write subject.relation: Consented with subject.consentRef, or "
            "Self, Fictional or Parody if it is so; else write visibility: Private",
            lambda part: (
                part.output.hugging_face is None
                or part.output.hugging_face.visibility != "Public"
                or may_be_public(part.subject.relation, part.subject.consent_ref)
            ),
            field="output.huggingFace.visibility",
        ),
        build_pattern_rule(
            "pin",
            MODEL_VERSION,
            "write the version as `tweetbot-trainer history` lists it: 16 hex digits, such as 9108a32a5b6d4c1f",
            optional=True,
        ),
    )
