"""A Pod's status from its containers."""

from typing import Any

import pytest

from tweetbot_cluster.node.pod.status import Restarts, Running, State, Terminated, Verdict, Waiting, pod_status
from tweetbot_cluster.node.pod.supervisor import Exit

BEGAN, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def a_pod(
    *containers: str, init: tuple[str, ...] = (), sidecars: tuple[str, ...] = (), **status: Any
) -> dict[str, Any]:
    always = {"image": "busybox", "restartPolicy": "Always"}
    spec = {
        "containers": [{"name": name, "image": "busybox"} for name in containers],
        "initContainers": [
            *({"name": name, "image": "busybox"} for name in init),
            *({"name": name, **always} for name in sidecars),
        ],
    }
    return {"metadata": {"uid": "u", "name": "p"}, "spec": spec, "status": status}


def ended(code: int, message: str = "") -> Terminated:
    return Terminated(Exit(code, BEGAN, NOW), message)


def status_of(pod: dict[str, Any], states: dict[str, State], verdict: Verdict | None = None) -> dict[str, Any]:
    return pod_status(pod, states, started_at=BEGAN, now=NOW, verdict=verdict)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status["conditions"]}


@pytest.mark.parametrize(
    ("states", "phase"),
    [
        ((Waiting(), Waiting()), "Pending"),
        ((Waiting(), Running(BEGAN)), "Pending"),
        ((Waiting(), ended(0)), "Pending"),
        ((Running(BEGAN), ended(1)), "Running"),
        ((ended(0), ended(0)), "Succeeded"),
        ((ended(0), ended(10)), "Failed"),
    ],
)
def test_the_phase_sums_up_containers_that_are_never_restarted(states: tuple[State, State], phase: str) -> None:
    assert status_of(a_pod("a", "b"), dict(zip("ab", states, strict=True)))["phase"] == phase


def test_a_running_pod_is_ready() -> None:
    status = status_of(a_pod("a"), {"a": Running(BEGAN)})
    assert set(conditions(status).values()) == {"True"}
    assert status["containerStatuses"][0]["state"] == {"running": {"startedAt": BEGAN}}


def test_an_ended_container_has_code_reason_times_and_message() -> None:
    terminated = status_of(a_pod("a"), {"a": ended(11, "no")})["containerStatuses"][0]["state"]["terminated"]
    expected = {"exitCode": 11, "reason": "Error", "startedAt": BEGAN, "finishedAt": NOW, "message": "no"}
    assert expected.items() <= terminated.items()


def test_a_pod_waits_for_its_init_containers() -> None:
    status = status_of(a_pod("a", init=("i",)), {"i": Running(BEGAN), "a": Waiting()})
    assert (status["phase"], conditions(status)["Initialized"]) == ("Pending", "False")


def test_a_failed_init_container_fails_the_pod() -> None:
    assert status_of(a_pod("a", init=("i",)), {"i": ended(1), "a": Waiting()})["phase"] == "Failed"


@pytest.mark.parametrize(
    ("sidecar", "main", "phase"),
    [
        (Waiting(), Waiting(), "Pending"),
        (Running(BEGAN), Waiting(), "Pending"),
        (Running(BEGAN), Running(BEGAN), "Running"),
        (Waiting("CrashLoopBackOff"), Running(BEGAN), "Running"),
        (Running(BEGAN), ended(0), "Running"),
        (Waiting("CrashLoopBackOff"), ended(0), "Succeeded"),
        (ended(143), ended(0), "Succeeded"),
        (ended(0), ended(1), "Failed"),
    ],
)
def test_a_native_sidecar_ends_last_and_fails_no_pod(sidecar: State, main: State, phase: str) -> None:
    assert status_of(a_pod("a", sidecars=("s",)), {"s": sidecar, "a": main})["phase"] == phase


def test_a_sidecar_that_was_started_again_says_how_it_ended() -> None:
    states: dict[str, State] = {"s": Running(BEGAN), "a": Waiting()}
    again = {"s": Restarts(2, ended(3, "no"))}
    status = pod_status(a_pod("a", sidecars=("s",)), states, started_at=BEGAN, now=NOW, restarts=again)
    (sidecar,) = status["initContainerStatuses"]
    assert (sidecar["restartCount"], sidecar["lastState"]["terminated"]["exitCode"]) == (2, 3)


def test_a_verdict_goes_before_what_containers_say() -> None:
    status = status_of(a_pod("a"), {"a": ended(0)}, Verdict("Failed", "DeadlineExceeded", "too long"))
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_a_condition_that_does_not_change_keeps_its_time() -> None:
    former = [{"type": "Ready", "status": "True", "lastTransitionTime": BEGAN}]
    status = status_of(a_pod("a", conditions=former), {"a": Running(BEGAN)})
    times = {each["type"]: each["lastTransitionTime"] for each in status["conditions"]}
    assert (times["Ready"], times["ContainersReady"]) == (BEGAN, NOW)


def test_the_conditions_of_others_are_left_to_them() -> None:
    assert "PodScheduled" not in conditions(status_of(a_pod("a"), {"a": Waiting()}))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (Terminated(Exit(128, BEGAN, NOW, "no such file"), ""), "StartError"),
        (Terminated(Exit(137, BEGAN, NOW), "", lost=True), "ContainerStatusUnknown"),
        (ended(0), "Completed"),
    ],
)
def test_each_way_to_end_has_the_kubelets_word(state: Terminated, reason: str) -> None:
    assert state.reason == reason
