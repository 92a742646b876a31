"""Every Pod so far was admitted under Pod Security "restricted", and the operator used its rights and no others."""

from contextlib import suppress
from functools import partial
from pathlib import Path

from e2e.real_platform import NAMESPACE, Platform
from e2e.team import Team
from harness.operator_process import until
from tweetbot_cluster.kubernetes.rights import ACCOUNT, granted, resource_of

#: What the kernel says of a process that may nothing: no privileges to gain, no capability, a filter on system calls.
CONFINED = {"NoNewPrivs": "1", "CapEff": "0" * 16, "CapBnd": "0" * 16, "Seccomp": "2"}


def test_the_processes_of_both_images_are_confined(platform: Platform, team: Team) -> None:
    team.apply("confined")
    until(lambda: team("get pods -l tweetbot.dev/stage=train -o name", keep=False) != "", 300)
    (trainer,) = team.field("pods", ".metadata.uid", "tweetbot.dev/stage=train")
    operator = platform.type(f"kubectl -n {NAMESPACE} get pods -o jsonpath='{{.items[0].metadata.uid}}'")
    for pod in (trainer, operator):
        until(partial(runs, pod), 120)
        found = confinement(pod)
        assert {name: found[name] for name in CONFINED} == CONFINED
        assert set(found["Uid"].split()) == {"65532"}
    team.wait("confined", "ModelReady")


def runs(pod: str) -> bool:
    return confinement(pod) != {}


def confinement(pod: str) -> dict[str, str]:
    """Return what the kernel says of a Pod's program, nothing while none runs."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end meanwhile
            if pod in (process / "cgroup").read_text() and "tweetbot" in (process / "cmdline").read_text():
                lines = (process / "status").read_text().splitlines()
                return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {}


def test_each_pod_was_admitted_under_restricted(platform: Platform) -> None:
    made = [each for each in platform.audited(resource="pods") if each["verb"] == "create" and created(each)]
    policies = {each["annotations"].get("pod-security.kubernetes.io/enforce-policy") for each in made}
    names = " ".join(each["objectRef"]["namespace"] for each in made)
    assert (policies, NAMESPACE in names, "team-" in names) == ({"restricted:latest"}, True, True)


def created(entry: dict[str, dict[str, object]]) -> bool:
    return entry["responseStatus"]["code"] == 201 and "subresource" not in entry["objectRef"]


def test_the_operator_asked_for_nothing_beyond_its_rights(platform: Platform) -> None:
    mine = [each for each in platform.audited() if each["user"]["username"] == ACCOUNT and "objectRef" in each]
    used = {(each["verb"], resource_of(each["objectRef"])) for each in mine}
    platform.type(f"kubectl -n {NAMESPACE} logs deployment/tweetbot-operator --all-pods --prefix --tail=20")
    assert used - granted() == set()
    assert {("create", "jobs"), ("patch", "tweetbots/status")} <= used
    assert [each for each in mine if each["annotations"]["authorization.k8s.io/decision"] != "allow"] == []
