"""Where a TweetBot's posts come from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import DOT_SEGMENT, Part, Rule, has_no_dot_segments, make_matcher

S3_OR_FILE = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+|file:///.+)$"
#: A handle is a domain name; a DID names its method first (atproto.com/specs/handle, /did).
BLUESKY_ACTOR = r"^(([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?[.])+[A-Za-z][A-Za-z0-9-]*|did:[a-z]+:[A-Za-z0-9._:%-]+)$"
_OBJECT_RULE = Rule(
    f"self.uri.matches('^s3://[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]/.+') && !self.uri.matches('{DOT_SEGMENT}')",
    "write the object's address as s3://bucket/key, without the steps . and ..",
    lambda part: make_matcher(S3_OR_FILE)(part.uri) and has_no_dot_segments(part.uri),
    field="uri",
)
Handle = Annotated[str, Field(max_length=32)]
Uri = Annotated[str, Field(max_length=1024)]


class SecretKey(Part):
    """One key of a Secret in the TweetBot's own namespace."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret.")
    key: str = Field(min_length=1, max_length=253, description="Key inside the Secret.")


class ArchiveSource(Part):
    """The account owner's own X export: the zip as it was downloaded from X."""

    uri: Uri = Field(description="The zip's address, s3://bucket/key; read with output.s3's credentials.")
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class PostsSource(Part):
    """A file of posts in a plain format."""

    uri: Uri = Field(description="The file's address, s3://bucket/key; read with output.s3's credentials.")
    format: Literal["jsonl", "csv", "txt"] = Field(
        "jsonl",
        description=(
            "jsonl: one object a line with text and optionally id, created_at, lang, retweet, reply. "
            "csv: the same as columns with a header. txt: one post a line."
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class XSource(Part):
    """The X API. X bills every post read, and its agreement restricts what may be trained on: see docs/sources/x.md."""

    handle: Handle = Field(description="The account to read, without @.")
    token_secret: SecretKey = Field(description="The Secret key with your own app's bearer token.")
    max_posts: int = Field(3200, ge=1, le=3200, description="Most posts to read; X serves the newest 3,200.")
    max_spend_usd: int = Field(
        17,
        alias="maxSpendUSD",
        ge=1,
        le=1000,
        description=(
            "Most US dollars that a run may cost at X's list price, the account's lookup included. A run "
            "that needs more fails with SpendLimitReached, and what it paid for is kept."
        ),
    )
    exclude_retweets: bool = Field(
        False, description="Do not pay for retweets, which are never trained on; the data table then cannot count them."
    )
    accept_terms: bool = Field(
        False, description="true states that you have read X's developer agreement and may train on these posts."
    )
    api_base_url: str | None = Field(
        None, alias="apiBaseURL", max_length=512, description="Another server that speaks the X API, e.g. a proxy."
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.handle.matches('^[A-Za-z0-9_]{1,15}$')",
            "write the handle without @: one to fifteen letters, digits or underscores",
            lambda part: make_matcher(r"^[A-Za-z0-9_]{1,15}$")(part.handle),
            field="handle",
        ),
        Rule(
            "self.acceptTerms",
            "read X's developer agreement and set acceptTerms: true; your own archive as source needs no such consent",
            lambda part: part.accept_terms,
            field="acceptTerms",
        ),
        Rule(
            "!has(self.apiBaseURL) || self.apiBaseURL.matches('^https?://[^ ]+$')",
            "write the server's address as https://host or http://host:port",
            lambda part: make_matcher(r"^https?://[^ ]+$")(part.api_base_url),
            field="apiBaseURL",
        ),
    )


class BlueskySource(Part):
    """A Bluesky account: by the public API, which needs no key, or as the repository that its owner exported."""

    actor: str | None = Field(
        None, max_length=253, description="The account to read, its handle without @ (alice.bsky.social) or its DID."
    )
    car: Uri | None = Field(
        None, description="The exported repository's address, s3://bucket/key; read with output.s3's credentials."
    )
    max_posts: int = Field(
        100_000, ge=1, le=100_000, description="Most posts to read, reposts among them; the newest ones."
    )
    api_base_url: str | None = Field(
        None, alias="apiBaseURL", max_length=512, description="Another server that speaks Bluesky's API, with actor."
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.actor) != has(self.car)",
            "give exactly one of actor, to read the public API, and car, to read an exported repository",
            lambda part: (part.actor is None) != (part.car is None),
        ),
        Rule(
            f"!has(self.actor) || self.actor.matches('{BLUESKY_ACTOR}')",
            "write the account without @, as its whole handle (alice.bsky.social) or its DID (did:plc:...)",
            lambda part: make_matcher(BLUESKY_ACTOR)(part.actor),
            field="actor",
        ),
        Rule(
            "!has(self.car) || self.car.matches('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+') && "
            f"!self.car.matches('{DOT_SEGMENT}')",
            "write the file's address as s3://bucket/key, without the steps . and ..",
            lambda part: make_matcher(S3_OR_FILE)(part.car) and has_no_dot_segments(part.car),
            field="car",
        ),
        Rule(
            "!has(self.apiBaseURL) || has(self.actor) && self.apiBaseURL.matches('^https?://[^ ]+$')",
            "write the server's address as https://host or http://host:port, and only beside actor",
            lambda part: (
                part.api_base_url is None
                or (part.actor is not None and make_matcher(r"^https?://[^ ]+$")(part.api_base_url))
            ),
            field="apiBaseURL",
        ),
    )

    @property
    def uri(self) -> str:
        """Return where the posts are: the file's address, or the account's as the AT protocol writes it."""
        return self.car or f"at://{self.actor}"


class MastodonSource(Part):
    """The account owner's own export of a Mastodon account; only its public posts are read."""

    uri: Uri = Field(
        description=(
            "The address, s3://bucket/key, of the archive as it was downloaded (.zip or .tar.gz) or of its "
            "outbox.json; read with output.s3's credentials."
        )
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        _OBJECT_RULE,
        Rule(
            "self.uri.endsWith('.json') || self.uri.endsWith('.zip') || self.uri.endsWith('.tar.gz')",
            "name an outbox.json, or the archive as it was downloaded: .zip or .tar.gz",
            lambda part: part.uri.endswith((".json", ".zip", ".tar.gz")),
            field="uri",
        ),
    )


Kind = ArchiveSource | PostsSource | XSource | BlueskySource | MastodonSource


class Source(Part):
    """One place that posts come from: exactly one of the kinds below."""

    archive: ArchiveSource | None = Field(None, description="The account owner's own X export (a zip).")
    posts: PostsSource | None = Field(None, description="A file of posts: jsonl, csv or txt.")
    x: XSource | None = Field(None, description="The X API, read with your own app's token.")
    bluesky: BlueskySource | None = Field(None, description="A Bluesky account, or its exported repository.")
    mastodon: MastodonSource | None = Field(None, description="The owner's export of a Mastodon account.")
    weight: int | None = Field(
        None,
        ge=1,
        le=100,
        description=(
            "This source's share of what an epoch trains on, beside the other sources' weights. Unset on "
            "all: each post once an epoch."
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.archive), has(self.posts), has(self.x), has(self.bluesky), has(self.mastodon)]"
            ".filter(given, given).size() == 1",
            "give each source exactly one of archive, posts, x, bluesky, mastodon; "
            "write two list items for two sources",
            lambda part: len(part.given) == 1,
        ),
    )

    @property
    def given(self) -> tuple[Kind, ...]:
        """Return the kinds that are given; the rule above lets only one be."""
        kinds = (self.archive, self.posts, self.x, self.bluesky, self.mastodon)
        return tuple(kind for kind in kinds if kind is not None)

    @property
    def kind(self) -> Kind:
        """Return the one kind that is given."""
        return self.given[0]
