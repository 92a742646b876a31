"""Who may ask: on this machine everybody who names it, elsewhere those who have the token. Pure."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

COOKIE = "tweetbot_serve"
#: Fewer characters can be guessed.
SHORTEST_TOKEN = 16
#: What anybody may ask: probes have no token, and the page that asks for it has the style of all.
OPEN_PATHS = frozenset({"/healthz", "/assets/page.css", "/assets/icon.svg"})
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of a server. `hosts` are the names under which it may be asked, empty for all."""

    hosts: frozenset[str] = frozenset()
    token: str | None = None

    @property
    def cookie(self) -> str:
        """What a browser keeps in place of the token."""
        return hmac.new((self.token or "").encode(), b"tweetbot serve cookie", hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a request that decide. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to a request that is not let in."""

    status: Literal[401, 403, 421]
    message: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The token was in the address: the browser keeps a cookie and asks again at `location`."""

    location: str


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def build_access(host: str, token: str | None) -> Access:
    """Return the rules for a server that listens on `host`. Raises ValueError with what to do."""
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ValueError(f"the token is shorter than {SHORTEST_TOKEN} characters: take that of `openssl rand -hex 16`")
    if is_loopback(host):
        return Access(_LOCAL_NAMES | {host}, token)
    if token is None:
        raise ValueError(
            f"--host {host} lets others in: give them a token by --token-file, or by TWEETBOT_SERVE_TOKEN, or keep to "
            "--host 127.0.0.1"
        )
    return Access(frozenset(), token)


def decide_access(access: Access, asked: Asked) -> Refused | LoggedIn | None:
    """Decide whether a request is let in; None if it is."""
    host = asked.headers.get("host", "")
    if access.hosts and _get_name(f"//{host}") not in access.hosts:
        return Refused(421, "This server answers as localhost only.")  # a page elsewhere may have moved its name here
    if asked.path in OPEN_PATHS:
        return None
    origin = asked.headers.get("origin")
    if origin and urlsplit(origin).netloc != host:
        return Refused(403, "Pages of other sites may not ask this server.")
    return _decide_token(access, asked) if access.token else None


def _decide_token(access: Access, asked: Asked) -> Refused | LoggedIn | None:
    token = access.token or ""
    kind, _, given = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and _is_same(given.strip(), token):
        return None
    if asked.cookie and _is_same(asked.cookie, access.cookie):
        return None
    fields = parse_qs(asked.query)
    if asked.method == "GET" and _is_same(fields.pop("token", [""])[0], token):
        rest = urlencode(fields, doseq=True)
        return LoggedIn("/" + asked.path.lstrip("/") + (f"?{rest}" if rest else ""))
    return Refused(401, "This server asks for its token: open it once as /?token=…, or send Authorization: Bearer ….")


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _get_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
