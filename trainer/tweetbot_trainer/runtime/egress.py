"""Checks the servers that a TweetBot names: its Pod must not reach what its author cannot (SSRF), such as the node's
metadata service, loopback addresses and the cluster network.

The check runs once, before a stage connects. A name that resolves to another address later is up to a NetworkPolicy.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from tweetbot_contract import reasons
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.runtime.errors import SpecRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: NAT64: a gateway translates these to the IPv4 address in the last four bytes (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


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
    for path, url in _list_endpoints(spec):
        host = _parse_host(url)
        if host is None:
            raise SpecRefused(reasons.SPEC_REFUSED, f"{path}: write https://host or http://host:port")
        for address in map(_unwrap_address, resolve(host)):
            if not _is_public(address) and not any(address in network for network in allowed):
                raise SpecRefused(
                    reasons.SPEC_REFUSED,
                    f"{path}: {host} resolves to {address}, which is not a public address; an administrator of the "
                    "operator can allow its network in TWEETBOT_ALLOWED_NETWORKS",
                )


def _list_endpoints(spec: TweetBotSpec) -> Iterator[tuple[str, str]]:
    named = {"output.s3.endpoint": spec.output.s3.endpoint, "tracking.wandb.baseURL": spec.tracking.wandb.base_url}
    for index, source in enumerate(spec.sources):
        if source.x:
            named[f"sources[{index}].x.apiBaseURL"] = source.x.api_base_url
        if source.bluesky:
            named[f"sources[{index}].bluesky.apiBaseURL"] = source.bluesky.api_base_url
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
