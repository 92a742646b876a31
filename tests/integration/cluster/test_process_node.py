"""The process node: what a Pod may count on when it runs as processes."""

import json
import os
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from builders.cluster import Namespace, a_pod, state_of
from harness.operator_process import until
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.state import free_ports

Document = dict[str, Any]


@pytest.fixture
def bench(home: EmbeddedCluster, namespace: str) -> Namespace:
    return Namespace(home, namespace)


def test_a_job_runs_with_a_secret_and_leaves_its_message(bench: Namespace) -> None:
    bench("create", "secret", "generic", "key", "--from-literal=word=gull")
    mount = {"name": "key", "mountPath": "/var/run/keys"}
    env = [{"name": "KEYS", "value": "/var/run/keys"}, {"name": "MESSAGE", "value": "/dev/termination-log"},
           {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]  # fmt: skip
    pod = a_pod("x", 'echo "$POD says"; cat $KEYS/word | tee $MESSAGE', container={"env": env, "volumeMounts": [mount]})
    pod["spec"]["volumes"] = [{"name": "key", "secret": {"secretName": "key"}}]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "words"},
           "spec": {"template": {"spec": pod["spec"]}}}  # fmt: skip
    bench.apply(job)
    bench("wait", "job/words", "--for=condition=Complete", "--timeout=120s")
    found = json.loads(bench("get", "pods", "-o", "json"))["items"][0]
    ended = state_of(found)["terminated"]
    assert (ended["message"], ended["exitCode"], ended["reason"]) == ("gull", 0, "Completed")
    assert bench("logs", "job/words") == f"{found['metadata']['name']} says\ngull"


def test_logs_can_be_followed_and_cut(bench: Namespace) -> None:
    bench.apply(a_pod("talker", "echo one; echo two; sleep 1; echo three"))
    bench.wait("talker", ".status.phase", "Running")
    assert bench("logs", "-f", "talker") == "one\ntwo\nthree\n"
    assert bench("logs", "--tail=2", "talker") == "two\nthree\n"


def test_a_port_is_forwarded_for_several_connections(bench: Namespace) -> None:
    (port,) = free_ports(1)
    script = f"echo gull > word; exec python -m http.server {port} --bind 127.0.0.1"
    bench.apply(a_pod("server", script, container={"image": "python:3"}))
    bench.wait("server", ".status.phase", "Running")
    until(lambda: is_open(port), 60)
    forwarding = bench.follow("port-forward", "-n", bench.namespace, "--address=127.0.0.1", "pod/server", f":{port}")
    local = next(forwarding).split()[2]
    for _ in range(3):
        with urllib.request.urlopen(f"http://{local}/word", timeout=60) as answer:
            assert answer.read() == b"gull\n"
    forwarding.close()


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_node_keeps_strangers_from_its_logs(home: EmbeddedCluster) -> None:
    certificates, port = home.state.certificates, home.settings.kubelet_port
    pair = ["--cert", str(certificates / "user-kubeconfig.crt"), "--key", str(certificates / "user-kubeconfig.key")]
    url = f"https://127.0.0.1:{port}/containerLogs/default/x/main"
    command = ["curl", "--silent", "--noproxy", "*", "--cacert", str(certificates / "ca.crt"), url]
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
    assert b"only the API server" in subprocess.run([*command, *pair], check=True, capture_output=True).stdout


def test_a_failing_container_reports_its_code_and_the_last_4096_bytes(bench: Namespace) -> None:
    env = [{"name": "MESSAGE", "value": "/dev/termination-log"}]
    script = "head -c 5000 /dev/zero | tr '\\0' a > $MESSAGE; printf end >> $MESSAGE; exit 11"
    bench.apply(a_pod("failing", script, container={"env": env}))
    ended = state_of(bench.wait("failing", ".status.phase", "Failed"))["terminated"]
    assert (ended["exitCode"], ended["reason"], len(ended["message"])) == (11, "Error", 4096)
    assert ended["message"].endswith("end")


def test_a_failing_container_without_a_message_falls_back_to_its_log(bench: Namespace) -> None:
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    bench.apply(a_pod("talker", "echo out of luck; exit 3", container=policy))
    assert state_of(bench.wait("talker", ".status.phase", "Failed"))["terminated"]["message"] == "out of luck\n"


def test_a_missing_secret_is_told_and_heals(bench: Namespace) -> None:
    mount = [{"name": "s3", "mountPath": "/keys"}]
    volumes = [{"name": "s3", "secret": {"secretName": "s3", "items": [{"key": "word", "path": "a/word"}]}}]
    pod = a_pod("late", 'cat "$1"', container={"volumeMounts": mount, "args": ["x", "/keys/a/word"]}, volumes=volumes)
    bench.apply(pod)
    expected = 'MountVolume.SetUp failed for volume "s3" : secret "s3" not found'
    assert bench.wait_for_event("late", "FailedMount") == expected
    assert state_of(bench.get("pod", "late")) == {"waiting": {"reason": "ContainerCreating"}}
    bench("create", "secret", "generic", "s3", "--from-literal=other=x")
    expected = 'MountVolume.SetUp failed for volume "s3" : references non-existent secret key: word'
    assert bench.wait_for_event("late", "FailedMount", "word") == expected
    bench("patch", "secret", "s3", "-p", '{"stringData": {"word": "gull"}}')
    bench.wait("late", ".status.phase", "Succeeded")
    assert bench("logs", "late") == "gull"


def test_a_missing_key_in_the_environment_is_told_and_heals(bench: Namespace) -> None:
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "key", "key": "word"}}}]
    bench.apply(a_pod("late", "echo $WORD", container={"env": env}))
    waiting = ".status.containerStatuses[0].state.waiting.reason"
    pod = bench.wait("late", waiting, "CreateContainerConfigError")
    assert state_of(pod)["waiting"]["message"] == 'secret "key" not found'
    bench("create", "secret", "generic", "key", "--from-literal=word=gull")
    bench.wait("late", ".status.phase", "Succeeded")
    assert bench("logs", "late") == "gull\n"


def test_optional_sources_may_be_missing(bench: Namespace) -> None:
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "no", "key": "word", "optional": True}}}]
    mount = [{"name": "no", "mountPath": "/keys"}]
    volumes = [{"name": "no", "secret": {"secretName": "no", "optional": True}}]
    script = 'test -z "${WORD+set}" && ls "$1"'
    container = {"env": env, "volumeMounts": mount, "args": ["x", "/keys"]}
    bench.apply(a_pod("modest", script, container=container, volumes=volumes))
    bench.wait("modest", ".status.phase", "Succeeded")


def test_a_token_of_the_service_account_is_mounted(bench: Namespace) -> None:
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    url = "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/default/pods"
    script = f'curl -s --noproxy "*" --cacert $1/ca.crt -H "Authorization: Bearer $(cat $1/token)" {url}'
    bench.apply(a_pod("knocking", script, container={"args": ["x", account]}))
    bench.wait("knocking", ".status.phase", "Succeeded")
    assert f"system:serviceaccount:{bench.namespace}:default" in bench("logs", "knocking")


def test_an_unknown_image_is_not_run(bench: Namespace) -> None:
    bench.apply(a_pod("stranger", "true", container={"image": "example.org/stranger:1"}))
    pod = bench.wait("stranger", ".status.containerStatuses[0].state.waiting.reason", "ImagePullBackOff")
    assert pod["status"]["phase"] == "Pending"
    bench("delete", "pod", "stranger", "--timeout=120s")


def test_a_deleted_pod_gets_a_sigterm_and_its_grace(bench: Namespace, home: EmbeddedCluster) -> None:
    bench.apply(a_pod("tidy", "trap 'echo tidied; exit 143' TERM; echo up; while :; do sleep 0.1; done"))
    bench.wait("tidy", ".status.phase", "Running")
    bench.first_line("tidy")
    bench("delete", "pod", "tidy", "--timeout=120s")
    assert home.node.logs("tidy", bench.namespace) == "up\ntidied\n"


def test_a_pod_that_ignores_sigterm_is_killed(bench: Namespace, home: EmbeddedCluster) -> None:
    bench.apply(a_pod("deaf", "trap '' TERM; echo $$; while :; do sleep 0.1; done"))
    bench.wait("deaf", ".status.phase", "Running")
    process = Path("/proc") / bench.first_line("deaf").strip()
    bench("delete", "pod", "deaf", "--grace-period=1", "--timeout=120s")
    assert not process.exists()


def test_a_pod_past_its_deadline_fails(bench: Namespace) -> None:
    bench.apply(a_pod("slow", "sleep 60", activeDeadlineSeconds=4, terminationGracePeriodSeconds=1))
    pod = bench.wait("slow", ".status.phase", "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert state_of(pod)["terminated"]["exitCode"] == 143


def test_a_pod_that_would_be_restarted_is_refused(bench: Namespace) -> None:
    bench.apply(a_pod("again", "true", restartPolicy="OnFailure"))
    pod = bench.wait("again", ".status.phase", "Failed")
    assert pod["status"]["reason"] == "ProcessNodeRefused"


def test_the_second_gpu_is_waited_for(bench: Namespace) -> None:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    bench.apply(a_pod("first", "sleep 60", container=gpu, terminationGracePeriodSeconds=1))
    bench.wait("first", ".status.phase", "Running")
    bench.apply(a_pod("second", "true", container=gpu))
    assert "Insufficient nvidia.com/gpu" in bench.wait_for_event("second", "FailedScheduling")
    bench("delete", "pod", "first")
    bench.wait("second", ".status.phase", "Succeeded")


def test_a_new_agent_takes_up_running_pods_and_ends_what_went(bench: Namespace, home: EmbeddedCluster) -> None:
    env = [{"name": "GO", "value": "/work/go"}]
    mounted: Document = {"env": env, "volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    script = "echo begun; until test -e $GO; do sleep 0.1; done; exit 7"
    bench.apply(a_pod("long", script, container=mounted, volumes=[{"name": "work", "emptyDir": {}}]))
    bench.apply(a_pod("orphan", "echo $$; sleep 60"))
    pod = bench.wait("long", ".status.phase", "Running")
    bench.wait("orphan", ".status.phase", "Running")
    orphan = Path("/proc") / bench.first_line("orphan").strip()
    home.kill("node")
    (home.state.pods / pod["metadata"]["uid"] / "volumes" / "work" / "go").touch()
    bench("delete", "pod", "orphan", "--force", "--grace-period=0")
    home.start("node")
    ended = state_of(bench.wait("long", ".status.phase", "Failed"))["terminated"]
    assert (ended["exitCode"], home.node.logs("long", bench.namespace)) == (7, "begun\n")
    assert not orphan.exists()


def test_a_container_whose_supervisor_was_killed_is_not_run_again(bench: Namespace, home: EmbeddedCluster) -> None:
    bench.apply(a_pod("lost", "echo begun; sleep 60"))
    pod = bench.wait("lost", ".status.phase", "Running")
    folder = home.state.pods / pod["metadata"]["uid"] / "containers" / "main"
    os.kill(json.loads((folder / "supervisor").read_text())["pid"], 9)
    ended = state_of(bench.wait("lost", ".status.phase", "Failed"))["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "ContainerStatusUnknown")
    assert home.node.logs("lost", bench.namespace) == "begun\n"


def test_a_killed_container_fails_as_a_crash_does(bench: Namespace, home: EmbeddedCluster) -> None:
    bench.apply(a_pod("crashing", "sleep 60"))
    bench.wait("crashing", ".status.phase", "Running")
    assert home.kill_pods("crash", bench.namespace) == 1
    ended = state_of(bench.wait("crashing", ".status.phase", "Failed"))["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")


def test_init_containers_run_first_and_in_order(bench: Namespace) -> None:
    pod = a_pod("ordered", 'cat "$1"', container={"args": ["x", "/work/words"]}, volumes=[{"name": "w"}])
    mount = [{"name": "w", "mountPath": "/work"}]
    command = ["sh", "-c", 'echo "$0" >> "$1"']
    pod["spec"]["containers"][0]["volumeMounts"] = mount
    pod["spec"]["initContainers"] = [
        {"name": word, "image": "busybox", "command": [*command, word, "/work/words"], "volumeMounts": mount}
        for word in ("one", "two")
    ]
    bench.apply(pod)
    bench.wait("ordered", ".status.phase", "Succeeded")
    assert bench("logs", "ordered", "-c", "main") == "one\ntwo\n"


def with_sidecar(name: str, script: str, sidecar: str) -> Document:
    pod = a_pod(name, script)
    command = ["sh", "-c", sidecar]
    pod["spec"]["initContainers"] = [
        {"name": "proxy", "image": "busybox", "command": command, "restartPolicy": "Always"}
    ]
    return pod


def test_a_native_sidecar_ends_after_the_containers(bench: Namespace) -> None:
    bench.apply(with_sidecar("meshed", "sleep 1", "trap 'echo tidied; exit 0' TERM; echo up; sleep 60 & wait"))
    bench.wait("meshed", ".status.phase", "Succeeded")
    assert bench("logs", "meshed", "-c", "proxy") == "up\ntidied\n"


def test_a_native_sidecar_that_fails_is_started_again_and_fails_no_pod(bench: Namespace) -> None:
    bench.apply(with_sidecar("shaky", "sleep 3", "echo up; sleep 1; exit 3"))
    pod = bench.wait("shaky", ".status.phase", "Succeeded")
    (proxy,) = pod["status"]["initContainerStatuses"]
    assert proxy["restartCount"] >= 1
    assert bench("logs", "shaky", "-c", "proxy").count("up") >= 2
