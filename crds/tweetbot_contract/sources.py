"""Where a TweetBot's posts come from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.parts import Part, Rule, matches

S3_OR_FILE = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+|file:///.+)$"
_OBJECT_RULE = Rule(
    "self.uri.matches('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+')",
    "write the object's address as s3://bucket/key",
    lambda part: matches(S3_OR_FILE)(part.uri),
    field="uri",
)
Handle = Annotated[str, Field(max_length=32)]
Uri = Annotated[str, Field(max_length=1024)]


class SecretKey(Part):
    """One key of a Secret in the TweetBot's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, description="Name of the Secret.")]
    key: Annotated[str, Field(min_length=1, max_length=253, description="Key inside the Secret.")]


class ArchiveSource(Part):
    """The account owner's own X export: the zip as it was downloaded from X."""

    uri: Annotated[Uri, Field(description="The zip's address, s3://bucket/key; read with output.s3's credentials.")]
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class PostsSource(Part):
    """A file of posts in a plain format."""

    uri: Annotated[Uri, Field(description="The file's address, s3://bucket/key; read with output.s3's credentials.")]
    format: Annotated[
        Literal["jsonl", "csv", "txt"],
        Field(
            description="jsonl: one object a line with text and optionally id, created_at, lang, retweet, reply. "
            "csv: the same as columns with a header. txt: one post a line."
        ),
    ] = "jsonl"
    rules: ClassVar[tuple[Rule, ...]] = (_OBJECT_RULE,)


class XSource(Part):
    """The X API. X bills every post read, and its agreement restricts what may be trained on: see docs/security.md."""

    handle: Annotated[Handle, Field(description="The account to read, without @.")]
    token_secret: Annotated[SecretKey, Field(description="The Secret key with your own app's bearer token.")]
    max_posts: Annotated[int, Field(ge=1, le=3200, description="Most posts to read; X serves the newest 3,200.")] = 3200
    max_spend_usd: Annotated[
        int,
        Field(alias="maxSpendUSD", ge=1, le=1000, description="Stop before a page would take the bill above this."),
    ] = 16
    accept_terms: Annotated[
        bool, Field(description="true states that you have read X's developer agreement and may train on these posts.")
    ] = False
    api_base_url: Annotated[
        str | None,
        Field(alias="apiBaseURL", max_length=512, description="Another server that speaks the X API, e.g. a proxy."),
    ] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.handle.matches('^[A-Za-z0-9_]{1,15}$')",
            "write the handle without @: one to fifteen letters, digits or underscores",
            lambda part: matches(r"^[A-Za-z0-9_]{1,15}$")(part.handle),
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
            lambda part: matches(r"^https?://[^ ]+$")(part.api_base_url),
            field="apiBaseURL",
        ),
    )


class Source(Part):
    """One place that posts come from: exactly one of the kinds below."""

    archive: Annotated[ArchiveSource | None, Field(description="The account owner's own X export (a zip).")] = None
    posts: Annotated[PostsSource | None, Field(description="A file of posts: jsonl, csv or txt.")] = None
    x: Annotated[XSource | None, Field(description="The X API, read with your own app's token.")] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.archive), has(self.posts), has(self.x)].filter(given, given).size() == 1",
            "give each source exactly one of archive, posts, x; write two list items for two sources",
            lambda part: sum(kind is not None for kind in (part.archive, part.posts, part.x)) == 1,
        ),
    )

    @property
    def kind(self) -> ArchiveSource | PostsSource | XSource:
        """Return the one kind that is given."""
        given = self.archive or self.posts or self.x
        if given is None:  # the rule above has refused this already
            raise ValueError("a source without a kind")
        return given
