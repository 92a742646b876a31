"""Servers that a spec may name: none by which a Pod would ask for its author what they cannot ask."""

import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from builders.manifests import a_spec
from tweetbot_trainer.runtime.egress import (
    Address,
    ForbiddenAddress,
    check_endpoints,
    guard_connections,
    parse_networks,
    resolve_host,
)
from tweetbot_trainer.runtime.errors import SpecRefused

S3 = {"uri": "s3://team-a/models"}
X = {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True}
LOOPBACK = ip_network("127.0.0.0/8")


def leading_to(*addresses: str) -> Callable[[str], list[Address]]:
    return lambda host: [ip_address(address) for address in addresses]


def at(url: str) -> Any:
    return a_spec(output={"s3": {**S3, "endpoint": url}})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",  # each a way to write the loopback that resolvers know
        "0x7f000001",
        "0.0.0.0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",  # AWS's metadata by IPv6
        "10.96.0.1",
        "172.17.0.1",
        "192.168.0.1",
        "100.100.100.200",  # Alibaba's metadata
        "224.0.0.1",
    ],
)
def test_an_inner_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(SpecRefused, match=r": spec\.output\.s3\.endpoint: .* resolves to .*TWEETBOT_ALLOWED_NETWORKS"):
        check_endpoints(at(f"http://{host}:9000"), ())


@pytest.mark.parametrize("written", ["{}", "::ffff:{}", "64:ff9b::{}", "2002:{:02x}{:02x}:{:02x}{:02x}::"])
def test_an_address_inside_another_counts_as_itself(written: str) -> None:
    def embed(address: str) -> str:
        return written.format(address) if "{}" in written else written.format(*map(int, address.split(".")))

    spec = at("https://s3.example")
    check_endpoints(spec, (), resolve=leading_to(embed("93.184.216.34")))
    check_endpoints(spec, (ip_network("10.0.0.0/8"),), resolve=leading_to(embed("10.1.2.3")))
    with pytest.raises(SpecRefused, match=r"resolves to 10\.1\.2\.3"):
        check_endpoints(spec, (), resolve=leading_to(embed("10.1.2.3")))


def test_allowed_networks_that_are_none_are_refused_by_their_variable() -> None:
    assert parse_networks({"TWEETBOT_ALLOWED_NETWORKS": "127.0.0.0/8,10.0.0.0/8"}) == (
        LOOPBACK,
        ip_network("10.0.0.0/8"),
    )
    with pytest.raises(SpecRefused, match="TWEETBOT_ALLOWED_NETWORKS: 'inside' does not"):
        parse_networks({"TWEETBOT_ALLOWED_NETWORKS": "inside"})


def test_a_public_name_that_leads_inside_is_refused_for_any_of_its_addresses() -> None:
    with pytest.raises(SpecRefused, match=r"s3\.example resolves to 169\.254\.169\.254"):
        check_endpoints(at("https://s3.example"), (), resolve=leading_to("93.184.216.34", "169.254.169.254"))


@pytest.mark.parametrize(
    "url",
    [
        "http://s3.example\\@127.0.0.1",
        "http://s3.example\\.inside.example",
        "http://user@s3.example",
        "http://:9000",
        "http://[::1",
        "http://s3.example\u2100",
    ],
)
def test_what_clients_read_differently_is_refused(url: str) -> None:
    with pytest.raises(SpecRefused, match="write https://host"):
        check_endpoints(at(url), (), resolve=leading_to("93.184.216.34"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tracking": {"wandb": {"baseURL": "http://127.0.0.1:1"}}}, r"tracking\.wandb\.baseURL"),
        ({"sources": [{"x": {**X, "apiBaseURL": "http://127.0.0.1:1"}}]}, r"sources\[0\]\.x\.apiBaseURL"),
        (
            {"sources": [{"bluesky": {"actor": "gull.example", "apiBaseURL": "http://127.0.0.1:1"}}]},
            r"sources\[0\]\.bluesky\.apiBaseURL",
        ),
    ],
)
def test_every_server_of_a_spec_is_asked_after(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecRefused, match=rf": spec\.{field}: "):
        check_endpoints(a_spec(**changes), ())


def test_a_network_is_open_to_whom_the_operators_settings_allow_it() -> None:
    check_endpoints(at("http://127.0.0.1:9000"), (LOOPBACK,))
    with pytest.raises(SpecRefused):
        check_endpoints(at("http://10.96.0.1"), (LOOPBACK,))


def test_public_servers_and_names_that_lead_nowhere_pass() -> None:
    check_endpoints(at("https://s3.example"), (), resolve=leading_to("93.184.216.34", "2606:2800:220:1::1"))
    check_endpoints(at("https://s3.example"), (), resolve=leading_to())
    assert resolve_host("no-such-name.invalid") == resolve_host("a" * 64 + ".example") == []


def try_connection(host: str, port: int, *more: int) -> bool:
    """Answer whether a socket may connect, without connecting it: Python asks its hooks so."""
    with socket.socket(socket.AF_INET6 if more else socket.AF_INET) as connection:
        try:
            sys.audit("socket.connect", connection, (host, port, *more))
        except ForbiddenAddress:
            return False
        return True


def test_public_addresses_may_be_reached_by_both_protocols() -> None:
    with guard_connections((), {}):
        assert try_connection("93.184.216.34", 443)
        assert try_connection("2606:2800:220:1::1", 443, 0, 0)
        assert not try_connection("fd00:ec2::254", 443, 0, 0)
        assert not try_connection("::ffff:10.0.0.1", 443, 0, 0)


@pytest.mark.parametrize("written", ["::ffff:{}", "64:ff9b::{}"])
def test_an_address_inside_another_is_judged_by_itself(written: str) -> None:
    with guard_connections((ip_network("10.0.0.0/8"),), {}):
        for address, open_ in (("93.184.216.34", True), ("10.0.0.7", True), ("192.168.0.1", False)):
            assert try_connection(written.format(address), 443, 0, 0) is open_


@pytest.mark.parametrize(
    ("variable", "url", "port"),
    [
        ("HTTPS_PROXY", "http://proxy.platform:3128", 3128),
        ("https_proxy", "proxy.platform:3128", 3128),
        ("AWS_ENDPOINT_URL_S3", "https://s3.platform", 443),
        ("HF_ENDPOINT", "http://hub.platform", 80),
    ],
)
def test_a_server_of_the_platforms_may_be_reached_at_its_own_address_and_port_only(
    variable: str, url: str, port: int
) -> None:
    with guard_connections((), {variable: url}, resolve=leading_to("10.0.0.7")):
        assert try_connection("10.0.0.7", port)
        assert not try_connection("10.0.0.7", port + 1)
        assert not try_connection("10.0.0.8", port)


def test_what_is_forbidden_in_a_stage_is_open_after_it() -> None:
    with guard_connections((), {}), guard_connections((ip_network("10.0.0.0/8"),), {}):
        assert try_connection("10.0.0.7", 80)
    with guard_connections((), {}):
        assert not try_connection("10.0.0.7", 80)
    assert try_connection("10.0.0.7", 80)
