"""`kubectl tweetbot` on a fake API server, and the objects that it is shown."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_kubectl.__main__ import run_command
from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.output.output import Output
from tweetbot_kubectl.parser import parse_arguments

#: The clock of every test.
NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
RUN = "1a2b3c4d5e6f7a8b"
Document = dict[str, Any]


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


_PODS = "/api/v1/namespaces/team-a/pods"


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its exit code, what it printed, and what it noted beside."""

    code: int
    output: str
    notes: str


def run_plugin(
    api: FakeApi, *words: str, terminal: bool = False, sleep: Callable[[float], None] = lambda seconds: None
) -> Finished:
    """Run a command line in namespace team-a, at noon."""
    stream, notes = Terminal() if terminal else io.StringIO(), io.StringIO()
    arguments = parse_arguments(list(words))
    session = Session(
        Output(arguments.output, stream, notes),
        lambda: (Cluster(api), "team-a"),
        arguments.namespace,
        now=lambda: NOON,
        sleep=sleep,
    )
    code = run_command(arguments, session)
    return Finished(code, stream.getvalue(), notes.getvalue())


def say_time(seconds_ago: float) -> str:
    """Return a time before noon, as the API server writes it."""
    return (NOON - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_condition(type_: str, status: str, reason: str, message: str = "") -> Document:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": say_time(300),
        "observedGeneration": 1,
    }


def a_run(**changes: Any) -> Document:
    """Return status.currentRun of a training at 43 %."""
    run = {
        "id": RUN,
        "number": 3,
        "trigger": "",
        "identity": "a" * 16,
        "execution": "b" * 16,
        "stage": "Train",
        "attempt": 1,
        "startedAt": say_time(600),
        "progress": {"percent": 43, "eta": "12m", "trainLoss": 2.5, "updatedAt": say_time(5)},
    }
    return {**run, **changes}


def a_model(version: str = "227ba5f2c6c9109f") -> Document:
    return {
        "name": f"team-a-gull-{version}",
        "uri": f"s3://team-a/models/team-a/gull/models/{version}/model",
        "digest": "c" * 64,
        "sizeBytes": 1000,
        "publishedAt": say_time(7200),
        "runId": RUN,
        "identity": "a" * 16,
    }


def a_training_status(**changes: Any) -> Document:
    """Return the status of a TweetBot that trains."""
    status = {
        "observedGeneration": 1,
        "phase": "Training",
        "conditions": [a_condition("Progressing", "True", "Training", "Fine-tuning the model (attempt 1 of 3).")],
        "columns": {"since": say_time(300), "progress": "43%", "message": "Fine-tuning the model"},
        "currentRun": a_run(),
    }
    return {**status, **changes}


def a_stored_bot(
    name: str = "gull", namespace: str = "team-a", status: Document | None = None, **spec: Any
) -> Document:
    """Return a TweetBot as the API server has it."""
    return {
        "apiVersion": "tweetbot.dev/v1alpha1",
        "kind": "TweetBot",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1},
        "spec": {
            "subject": {"handle": "harbour_gull"},
            "sources": [{"archive": {"uri": "s3://team-a/harbour_gull.zip"}}],
            "output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}},
            **spec,
        },
        **({"status": status} if status else {}),
    }


def a_stored_job(stage: str = "train", *, state: str = "", bot: str = "gull", run: str = RUN) -> Document:
    """Return a Job of a stage; `state` is Complete or Failed, otherwise it runs."""
    ended = [{"type": state, "status": "True", "reason": "BackoffLimitExceeded" if state == "Failed" else ""}]
    return {
        "kind": "Job",
        "metadata": {
            "name": f"{bot}-{run[:8]}-{stage}",
            "namespace": "team-a",
            "labels": _build_labels(bot, run, stage),
            "creationTimestamp": say_time(400 if stage == "prepare" else 300),
        },
        "spec": {},
        "status": {"conditions": ended} if state else {"active": 1},
    }


def a_stored_pod(
    stage: str = "train", suffix: str = "x", *, bot: str = "gull", run: str = RUN, ago: int = 290, **state: Any
) -> Document:
    """Return a Pod of a stage; `state` is that of its container: `running={}` or `terminated={...}`."""
    job = f"{bot}-{run[:8]}-{stage}"
    ended = state.get("terminated")
    phase = ("Failed" if ended.get("exitCode") else "Succeeded") if ended else "Running" if state else "Pending"
    mesh = {"name": "istio-proxy", "state": {"running": {}}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{job}-{suffix}",
            "namespace": "team-a",
            "labels": _build_labels(bot, run, stage),
            "creationTimestamp": say_time(ago),
            "ownerReferences": [{"kind": "Job", "name": job}],
        },
        "spec": {"nodeName": "gpu-1"},
        "status": {"phase": phase, "containerStatuses": [mesh, {"name": "trainer", "state": state}]},
    }


def an_event(
    name: str, reason: str, message: str, *, ago: int = 60, kind: str = "TweetBot", count: int = 1
) -> Document:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}.{ago}", "namespace": "team-a"},
        "involvedObject": {"kind": kind, "name": name},
        "type": "Normal",
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": say_time(ago),
    }


def _build_labels(bot: str, run: str, stage: str) -> dict[str, str]:
    return {"tweetbot.dev/bot": bot, "tweetbot.dev/run": run, "tweetbot.dev/stage": stage}


def a_trained_api(**spec: Any) -> FakeApi:
    """Return an API server with a TweetBot that has a model, and a Job that shows the trainer's image."""
    job = a_stored_job()
    job["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "tweetbot-operator"
    job["spec"] = {"template": {"spec": {"containers": [{"name": "trainer", "image": "trainer:1"}]}}}
    return FakeApi(a_stored_bot(status={"model": a_model()}, **spec), job)


def end_pod(api: FakeApi, *log: str, **state: Any) -> Callable[[float], None]:
    """Have the plugin's Pod end while the command pauses."""

    def pause(seconds: float) -> None:
        (path,) = (each for each in api.documents if each.startswith(_PODS))
        ended = {"name": "trainer", "state": {"terminated": {"exitCode": 0, **state}}}
        api.documents[path]["status"] = {"containerStatuses": [ended]}
        api.logs[path.rpartition("/")[2]] = list(log)

    return pause


def list_pod_writes(api: FakeApi) -> list[str]:
    """Return what was done to Pods."""
    return [verb for verb, path, _ in api.sent if path.startswith(_PODS)]
