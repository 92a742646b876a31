"""The cluster's one folder."""

import random
import socket
import stat
from pathlib import Path

import pytest

from tweetbot_cluster.state import LOOPBACK, StateFolder, default_state, free_ports


def a_state(root: Path) -> StateFolder:
    state = StateFolder(root / "cluster")
    state.create()
    return state


def test_the_folder_can_be_chosen_and_else_lies_in_the_state_home() -> None:
    assert default_state({"TWEETBOT_CLUSTER_STATE": "/here", "HOME": "/home/x"}) == Path("/here")
    assert default_state({"XDG_STATE_HOME": "/state", "HOME": "/home/x"}) == Path("/state/tweetbot/cluster")
    assert default_state({"HOME": "/home/x"}) == Path("/home/x/.local/state/tweetbot/cluster")


def test_others_cannot_look_into_it(tmp_path: Path) -> None:
    state = a_state(tmp_path)
    state.settings(keep_ports=False)
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((state.root / "settings.json").stat().st_mode) == 0o600


def test_ports_and_keys_stay_while_the_ports_are_free(tmp_path: Path) -> None:
    state = a_state(tmp_path)
    first = state.settings(keep_ports=False)
    assert state.settings(keep_ports=False) == first
    assert len(set(first.ports)) == 6


def test_a_folder_of_another_version_is_chosen_again(tmp_path: Path) -> None:
    state = a_state(tmp_path)
    (state.root / "settings.json").write_text('{"etcd_port": 1}')
    assert state.read_settings() is None
    assert len(state.settings(keep_ports=True).ports) == 6


def test_a_port_that_was_taken_is_replaced_and_the_keys_stay(tmp_path: Path) -> None:
    state = a_state(tmp_path)
    first = state.settings(keep_ports=False)
    with socket.create_server((LOOPBACK, first.s3_port)):
        second = state.settings(keep_ports=False)
    assert first.s3_port not in second.ports
    assert (second.s3_access_key, second.s3_secret_key) == (first.s3_access_key, first.s3_secret_key)


def test_a_cluster_that_runs_keeps_its_ports(tmp_path: Path) -> None:
    state = a_state(tmp_path)
    first = state.settings(keep_ports=False)
    with socket.create_server((LOOPBACK, first.s3_port)):
        assert state.settings(keep_ports=True) == first


def test_no_port_is_named_twice() -> None:
    assert len(set(free_ports(20))) == 20


def test_a_chosen_port_is_kept_from_other_choices_and_given_to_its_server() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OSError, match="in use"), socket.socket() as other:
        other.bind((LOOPBACK, port))
    with socket.create_server((LOOPBACK, port)), socket.create_connection((LOOPBACK, port)):
        pass


def test_processes_side_by_side_never_choose_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = free_ports(4)
    chances = iter([port - 10_000 for port in (*ours, ours[0] + 1)] + list(range(20_000)))
    monkeypatch.setattr("secrets.randbelow", lambda limit: next(chances))
    assert free_ports(1)[0] not in ours


def test_no_port_is_one_that_the_kernel_lends_to_connections() -> None:
    lent = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_ports(50)) < lent


def test_processes_with_the_same_seed_choose_differently() -> None:
    random.seed(1)
    first = free_ports(20)
    random.seed(1)
    assert free_ports(20) != first
