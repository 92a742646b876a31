"""Checks the servers that a Pod reaches: none that the TweetBot's author cannot (SSRF), such as the node's metadata
service, loopback addresses and the cluster network.

check_endpoints     what the spec names, before a stage connects; its message has the field's path
guard_connections   every connection of this process, when it is made: a name may resolve to another address by then,
                    and a server may redirect elsewhere

What runs in another process connects by egress_proxy.py.
"""

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from tweetbot_contract import reasons
from tweetbot_contract.handover import ALLOWED_NETWORKS_ENV
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.runtime.errors import SpecRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: NAT64: a gateway translates these to the IPv4 address in the last four bytes (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


#: Variables with servers that the platform chose, not the TweetBot's author: they may be anywhere.
_PLATFORM_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "HF_ENDPOINT",
    "WANDB_BASE_URL",
)
_PORTS = {"http": 80, "https": 443}


class ForbiddenAddress(OSError):
    """A connection to an address that is neither public nor allowed. An OSError, as clients expect of a socket."""


class _Guard:
    """What the audit hook, which Python cannot remove, checks connections with; nothing outside of a stage."""

    check: Callable[[Address, int], None] | None = None
    installed = False


@contextmanager
def guard_connections(
    allowed: Sequence[Network], env: Mapping[str, str], *, resolve: Callable[[str], list[Address]] | None = None
) -> Iterator[None]:
    """Let every socket of this process connect to public addresses, allowed networks and the platform's servers only.

    Other connections raise ForbiddenAddress.
    """
    platform = tuple(_list_platform_servers(env))
    find = resolve or resolve_host

    def check(address: Address, port: int) -> None:
        plain = _unwrap_address(address)
        if _is_public(plain) or any(plain in network for network in allowed):
            return
        if any(port == known and address in find(host) for host, known in platform):
            return
        raise ForbiddenAddress(f"{address} is not a public address, and in no network of TWEETBOT_ALLOWED_NETWORKS")

    if not _Guard.installed:
        sys.addaudithook(_audit)
        _Guard.installed = True
    before, _Guard.check = _Guard.check, check
    try:
        yield
    finally:
        _Guard.check = before


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    """Check a connection before it is made. Raises ForbiddenAddress."""
    if event != "socket.connect" or _Guard.check is None:
        return
    connection, target = arguments
    if isinstance(connection, socket.socket) and connection.family == socket.AF_UNIX:
        return
    try:
        host, port = target[:2]  # type: ignore[index]
        address = ip_address(str(host).partition("%")[0])
    except (TypeError, ValueError) as error:
        raise ForbiddenAddress(f"{target!r} is no IP address: names are resolved before a connection") from error
    _Guard.check(address, int(port))


def _list_platform_servers(env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield host and port of each server that the platform chose."""
    for name in _PLATFORM_VARIABLES:
        for url in filter(None, (env.get(name), env.get(name.lower()))):
            parts = urlsplit(url if "://" in url else f"http://{url}")
            if parts.hostname:
                yield parts.hostname, parts.port or _PORTS.get(parts.scheme, 80)


def resolve_host(host: str) -> list[Address]:
    """Resolve a host name. Empty if it does not resolve: the client's own error will say so."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def check_endpoints(
    spec: TweetBotSpec, allowed: Sequence[Network], *, resolve: Callable[[str], list[Address]] = resolve_host
) -> None:
    """Require public addresses, or addresses in an allowed network. Raises SpecRefused with the field's path."""
    advice = "an administrator of the operator can allow its network in TWEETBOT_ALLOWED_NETWORKS"
    for path, url in _list_endpoints(spec):
        check_endpoint(path, url, allowed, advice=advice, resolve=resolve)


def check_endpoint(
    path: str,
    url: str,
    allowed: Sequence[Network],
    *,
    advice: str,
    resolve: Callable[[str], list[Address]] = resolve_host,
) -> None:
    """Require a public address of one server, or one in an allowed network. `path` is the field or option with its URL.

    Raises SpecRefused.
    """
    host = _parse_host(url)
    if host is None:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{path}: write https://host or http://host:port")
    for address in map(_unwrap_address, resolve(host)):
        if not _is_public(address) and not any(address in network for network in allowed):
            raise SpecRefused(
                reasons.SPEC_REFUSED,
                f"{path}: {host} resolves to {address}, which is not a public address; {advice}",
            )


def parse_networks(env: Mapping[str, str]) -> tuple[Network, ...]:
    """Return the networks of TWEETBOT_ALLOWED_NETWORKS. Raises SpecRefused if one is not a network."""
    try:
        return tuple(ip_network(text) for text in env.get(ALLOWED_NETWORKS_ENV, "").split(",") if text)
    except ValueError as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{ALLOWED_NETWORKS_ENV}: {error}") from error


def _list_endpoints(spec: TweetBotSpec) -> Iterator[tuple[str, str]]:
    named = {
        "spec.output.s3.endpoint": spec.output.s3.endpoint,
        "spec.tracking.wandb.baseURL": spec.tracking.wandb.base_url,
    }
    for index, source in enumerate(spec.sources):
        if source.x:
            named[f"spec.sources[{index}].x.apiBaseURL"] = source.x.api_base_url
        if source.bluesky:
            named[f"spec.sources[{index}].bluesky.apiBaseURL"] = source.bluesky.api_base_url
    yield from ((path, url) for path, url in named.items() if url)


def _parse_host(url: str) -> str | None:
    """Return the host, or None if there is none, or clients might disagree about it."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unclosed bracket, or characters that some clients read as a slash
        return None
    return None if "@" in parts.netloc or "\\" in url else parts.hostname


def _unwrap_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address embeds, if any."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast
