"""The manifest that `init` writes: from a few answers to a TweetBot that validates."""

import math
import re
from dataclasses import dataclass
from typing import Any

from tweetbot_contract.handover import GROUP, KIND, NAME_LIMIT, VERSION
from tweetbot_contract.manifest import InvalidManifest, parse
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE, X_USER_PRICE, Source

Document = dict[str, Any]
#: Kinds of sources, as fields of spec.sources[].
KINDS = tuple(
    name
    for name, field in Source.model_fields.items()
    if field.default is None and name not in ("weight", "max_missing_percent")
)
#: Of these the address is a file in the bucket; x and bluesky name an account.
FILE_KINDS = tuple(kind for kind in KINDS if kind not in ("x", "bluesky"))
#: Numbers of posts that the X API's price is shown for; it serves at most the last.
X_OFFERS = (200, 800, 3200)
_FORMATS = {".csv": "csv", ".txt": "txt"}
_PLACEHOLDER = {"s3": {"uri": "s3://given-by-the-class"}}


class BadAnswer(Exception):
    """An answer cannot be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source of posts: its kind, and where they are."""

    kind: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class XTerms:
    """What reading the X API needs beside the handle."""

    token_secret: str = ""
    """Secret and key with the app's bearer token, as name/key."""
    max_posts: int = 0
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBot:
    """The answers. What is empty is left out of the manifest."""

    name: str
    handle: str
    sources: tuple[NewSource, ...]
    namespace: str = ""
    display_name: str = ""
    relation: str = ""
    consent_ref: str = ""
    output: str = ""
    endpoint: str = ""
    region: str = ""
    secret: str = ""
    """Secret with the bucket's keys."""
    class_name: str = ""
    base: str = ""
    cpu_only: bool = False
    x: XTerms = XTerms()


def suggest_name(handle: str) -> str:
    """Return a TweetBot's name for an account."""
    name = re.sub(r"[^a-z0-9]+", "-", handle.lower()).strip("-")[:NAME_LIMIT].strip("-")
    return name or "bot"


def read_source(text: str) -> NewSource:
    """Read kind:address, such as archive:s3://team-a/gull.zip or x:harbour_gull. Raises BadAnswer."""
    kind, colon, address = text.partition(":")
    if kind not in KINDS or not colon or not address:
        raise BadAnswer(f"{text} is no source: write KIND:ADDRESS with a kind of {', '.join(KINDS)}")
    if kind in FILE_KINDS and not address.startswith("s3://"):
        raise BadAnswer(f"{text}: write where the file lies as {kind}:s3://bucket/key, and upload it there first")
    return NewSource(kind, address)


def compute_x_price(posts: int) -> float:
    """Return what X bills for reading this number of posts, in US dollars at its list price."""
    return (posts * X_POST_PRICE + X_USER_PRICE) / X_DOLLAR


def check_count(text: str) -> None:
    """Check a number of posts of the X API. Raises BadAnswer."""
    if not text.isdecimal() or not 1 <= int(text) <= X_OFFERS[-1]:
        raise BadAnswer(f"write a number from 1 to {X_OFFERS[-1]}")


def build_new_bot(bot: NewBot) -> Document:
    """Build the manifest. Raises BadAnswer if the contract refuses it; the message names the field."""
    namespace = {"namespace": bot.namespace} if bot.namespace else {}
    manifest = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": bot.name, **namespace},
        "spec": _build_spec(bot),
    }
    validate_manifest(manifest)
    return manifest


def _build_spec(bot: NewBot) -> Document:
    subject = {
        "handle": bot.handle,
        "displayName": bot.display_name,
        "relation": bot.relation,
        "consentRef": bot.consent_ref,
    }
    output = {
        "uri": bot.output,
        "endpoint": bot.endpoint,
        "region": bot.region,
        "credentialsSecret": {"name": bot.secret} if bot.secret else None,
    }
    spec = {
        "className": bot.class_name,
        "subject": _leave_out_empty(subject),
        "sources": [{source.kind: _build_source(source, bot.x)} for source in bot.sources],
        "output": {"s3": _leave_out_empty(output)} if bot.output else None,
        "model": {"base": bot.base} if bot.base else None,
        "resources": {"gpu": {"count": 0}} if bot.cpu_only else None,
    }
    return _leave_out_empty(spec)


def _leave_out_empty(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if value}


def _build_source(source: NewSource, x: XTerms) -> Document:
    if source.kind == "x":
        return _build_x_source(source.address.removeprefix("@"), x)
    if source.kind == "bluesky":
        return {"car" if source.address.startswith("s3://") else "actor": source.address.removeprefix("@")}
    ending = source.address[source.address.rfind(".") :]
    form = {"format": _FORMATS[ending]} if source.kind == "posts" and ending in _FORMATS else {}
    return {"uri": source.address, **form}


def _build_x_source(handle: str, x: XTerms) -> Document:
    name, slash, key = x.token_secret.partition("/")
    if not slash or not key:
        raise BadAnswer("the X API needs your app's bearer token: name its Secret and key, as x-app/bearer-token")
    return {
        "handle": handle,
        "tokenSecret": {"name": name, "key": key},
        "maxPosts": x.max_posts,
        "maxSpendUSD": max(1, math.ceil(compute_x_price(x.max_posts))),
        "acceptTerms": x.accepted,
    }


def validate_manifest(manifest: Document) -> None:
    """Check a manifest as the API server and the trainer do. Raises BadAnswer with the field's path."""
    spec = manifest["spec"]
    if spec.get("className") and "output" not in spec:  # the class says where
        spec = {**spec, "output": _PLACEHOLDER}
    if spec.get("output", {}).get("s3", {}).get("uri", "s3://").startswith("file:"):
        raise BadAnswer("spec.output.s3.uri: write s3://bucket or s3://bucket/prefix")
    try:
        parse({**manifest, "spec": spec})
    except InvalidManifest as fault:
        raise BadAnswer(str(fault)) from None
