"""Where a TweetBot's posts come from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import HTTP_URL, Part, Rule, build_pattern_rule, build_s3_rule, make_matcher

#: A handle is a domain name; a DID starts with its method (atproto.com/specs/handle, /did).
BLUESKY_ACTOR = r"^(([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?[.])+[A-Za-z][A-Za-z0-9-]*|did:[a-z]+:[A-Za-z0-9._:%-]+)$"
_OBJECT_MESSAGE = "write the object's address as s3://bucket/key, without . and .. segments"
_OBJECT_RULE = build_s3_rule("uri", "/.+", _OBJECT_MESSAGE)
_SERVER_MESSAGE = "write the server's address as https://host or http://host:port"
#: X's prices per post and per user in tenths of a US cent, since 2026-02-06: $0.005 and $0.010 (docs.x.com, pricing).
X_POST_PRICE, X_USER_PRICE = 5, 10
X_DOLLAR = 1000
Handle = Annotated[str, Field(max_length=32)]
Uri = Annotated[str, Field(max_length=1024)]


class SecretKey(Part):
    """One key of a Secret in the TweetBot's own namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret, in the TweetBot's namespace."""
    key: str = Field(min_length=1, max_length=253)
    """Key inside the Secret."""


class ArchiveSource(Part):
    """The account owner's own X export: the zip as it was downloaded from X, or its tweets.js alone."""

    uri: Uri
    """Address of the zip, of a .tar.gz or of a tweets.js, s3://bucket/key; read with output.s3's credentials."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class ThreadsSource(Part):
    """The account owner's own export of a Threads account, in JSON."""

    uri: Uri
    """Address, s3://bucket/key, of the zip or its threads_and_replies.json; read with output.s3's credentials."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class InstagramSource(Part):
    """The account owner's own export of an Instagram account, in JSON; the captions of its posts are read."""

    uri: Uri
    """Address, s3://bucket/key, of the zip or its posts_1.json; read with output.s3's credentials."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class RedditSource(Part):
    """The account owner's own data of Reddit, as Reddit answers a data request: a zip of CSV files."""

    uri: Uri
    """Address, s3://bucket/key, of the zip or its posts.csv or comments.csv; read with output.s3's credentials."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class PostsSource(Part):
    """A file of posts in a plain format."""

    uri: Uri
    """Address of the file, s3://bucket/key; read with the endpoint and credentials of output.s3."""
    format: Literal["jsonl", "csv", "txt", "openai"] = "jsonl"
    """Format of the file. jsonl: one object per line with text and optionally id, created_at, lang, retweet and reply.
    csv: these as columns, named in a header line. txt: one post per line. openai: a file for OpenAI's fine-tuning, one
    conversation per line, of which the assistant's texts are read."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class XSource(Part):
    """The X API. X bills every post read, and its agreement restricts what may be trained on: see docs/sources/x.md."""

    handle: Handle
    """X account to read, without @."""
    token_secret: SecretKey
    """Secret key that holds the bearer token of your own X app."""
    max_posts: int = Field(3200, ge=1, le=3200)
    """Maximum number of posts to read, newest first; X serves at most 3,200."""
    max_spend_usd: int = Field(17, alias="maxSpendUSD", ge=1, le=1000)
    """Maximum cost of a run in US dollars, at X's list price and including the account lookup. A run that needs more
    fails with SpendLimitReached; posts already paid for are kept."""
    exclude_retweets: bool = False
    """Do not read, and so not pay for, retweets, which are never trained on; status.data then lacks them."""
    accept_terms: bool = False
    """true states that you have read X's developer agreement and may train on these posts. It must be true."""
    api_base_url: str | None = Field(None, alias="apiBaseURL", max_length=512)
    """URL of another server that speaks the X API, e.g. a proxy."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule(
            "handle",
            "^[A-Za-z0-9_]{1,15}$",
            "write the handle without @: one to fifteen letters, digits or underscores",
        ),
        Rule(
            "self.acceptTerms",
            "read X's developer agreement and set acceptTerms: true; your own archive as source needs no such consent",
            lambda part: part.accept_terms,
            field="acceptTerms",
        ),
        build_pattern_rule("apiBaseURL", HTTP_URL, _SERVER_MESSAGE, optional=True),
    )


class BlueskySource(Part):
    """A Bluesky account, read from the public API without a key, or the repository that its owner exported."""

    actor: str | None = Field(None, max_length=253)
    """Bluesky account to read through the public API: its handle without @ (alice.bsky.social) or its DID."""
    car: Uri | None = None
    """Address of an exported repository (CAR file), s3://bucket/key; read with the credentials of output.s3."""
    max_posts: int = Field(100_000, ge=1, le=100_000)
    """Maximum number of posts to read, newest first; reposts count."""
    api_base_url: str | None = Field(None, alias="apiBaseURL", max_length=512)
    """URL of another server that speaks Bluesky's API; only with actor."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.actor) != has(self.car)",
            "give exactly one of actor, to read the public API, and car, to read an exported repository",
            lambda part: (part.actor is None) != (part.car is None),
        ),
        build_pattern_rule(
            "actor",
            BLUESKY_ACTOR,
            "write the account without @, as its whole handle (alice.bsky.social) or its DID (did:plc:...)",
            optional=True,
        ),
        build_s3_rule("car", "/.+", _OBJECT_MESSAGE, optional=True),
        Rule(
            f"!has(self.apiBaseURL) || has(self.actor) && self.apiBaseURL.matches('{HTTP_URL}')",
            f"{_SERVER_MESSAGE}, and only together with actor",
            lambda part: (
                part.api_base_url is None or (part.actor is not None and make_matcher(HTTP_URL)(part.api_base_url))
            ),
            field="apiBaseURL",
        ),
    )

    @property
    def uri(self) -> str:
        """Return the address of the posts: the file's, or the account's as an at:// URI."""
        return self.car or f"at://{self.actor}"


class MastodonSource(Part):
    """The account owner's own export of a Mastodon account."""

    uri: Uri
    """Address, s3://bucket/key, of the export (zip, tar.gz) or its outbox.json; read with output.s3's credentials."""
    visibility: tuple[Literal["Public", "Unlisted"], ...] = Field(("Public",), min_length=1, max_length=2)
    """Which posts to read: Public, and Unlisted ("quiet public"). Posts for followers and messages never are."""
    content_warnings: Literal["Keep", "Drop"] = "Keep"
    """Whether a post's content warning stays, as a line before its text."""
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


Kind = (
    ArchiveSource
    | PostsSource
    | XSource
    | BlueskySource
    | MastodonSource
    | ThreadsSource
    | InstagramSource
    | RedditSource
)


class Source(Part):
    """One source of posts, of exactly one kind."""

    archive: ArchiveSource | None = None
    """The account owner's own X export (a zip)."""
    posts: PostsSource | None = None
    """A file of posts: jsonl, csv, txt or openai."""
    x: XSource | None = None
    """The X API, read with your own app's token."""
    bluesky: BlueskySource | None = None
    """A Bluesky account, or its exported repository."""
    mastodon: MastodonSource | None = None
    """The owner's export of a Mastodon account."""
    threads: ThreadsSource | None = None
    """The owner's export of a Threads account."""
    instagram: InstagramSource | None = None
    """The owner's export of an Instagram account."""
    reddit: RedditSource | None = None
    """The owner's data of Reddit."""
    max_missing_percent: int | None = Field(None, ge=0, le=100)
    """Maximum percent of the records that the source says it holds, and that are not found in it; a run in which more
    are missing fails with PostsMissing. 5 if unset."""
    weight: int | None = Field(None, ge=1, le=100)
    """Weight of this source in each epoch, relative to the others; unset on all: each post once per epoch."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.archive), has(self.posts), has(self.x), has(self.bluesky), has(self.mastodon), "
            "has(self.threads), has(self.instagram), has(self.reddit)].filter(given, given).size() == 1",
            "give each source exactly one of archive, posts, x, bluesky, mastodon, threads, instagram, reddit; "
            "write two list items for two sources",
            lambda part: len(part.given) == 1,
        ),
    )

    @property
    def given(self) -> tuple[Kind, ...]:
        """Return the kinds that are set; exactly one in a valid spec."""
        exports = (self.archive, self.mastodon, self.threads, self.instagram, self.reddit)
        kinds = (*exports, self.posts, self.x, self.bluesky)
        return tuple(kind for kind in kinds if kind is not None)

    @property
    def kind(self) -> Kind:
        """Return the one kind that is set."""
        return self.given[0]
