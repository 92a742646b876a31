"""The Pods that the plugin starts itself: with which settings, until when, and that they go."""

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from tweetbot_contract.handover import BOT_LABEL, MANAGED_BY, MANAGED_BY_LABEL
from tweetbot_contract.manifest import TweetBot
from tweetbot_kubectl.cluster.requests import Document, Requests
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.pod_state import PodState, read_pod_state
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import CommandFailed, NotFound, Unreachable
from tweetbot_kubectl.manifests import own_pods
from tweetbot_kubectl.manifests.found_settings import read_deployment, read_job
from tweetbot_operator.settings import OperatorSettings

#: Seconds between two looks at a Pod that is to end by itself.
_POLL_SECONDS = 1.0


def find_settings(bot: TweetBot, looks: Looks, image: str | None = None) -> OperatorSettings:
    """Return the operator's settings, as its Deployment or a Job of the TweetBot shows them.

    Raises CommandFailed if nothing shows the trainer's image.
    """
    deployments = [read_deployment(each) for each in looks.find_operator().items]
    selector = {"labelSelector": f"{BOT_LABEL}={bot.name},{MANAGED_BY_LABEL}={MANAGED_BY}"}
    found = next(filter(None, deployments), None) or next(
        filter(None, (read_job(job) for job in _list_jobs(looks, selector))), None
    )
    if image:
        return (found or OperatorSettings()).model_copy(update={"trainer_image": image})
    if found is None:
        raise CommandFailed(
            "Which trainer image to use is not known: you may not read the operator's Deployment, and the TweetBot has "
            "no Job left. Name it with --image, as the platform team set trainerImage in the chart."
        )
    return found


def _list_jobs(looks: Looks, selector: dict[str, str]) -> list[Document]:
    return looks.read(f"/apis/batch/v1/namespaces/{looks.namespace}/jobs", selector).items


def name_pod(bot: TweetBot, purpose: str) -> str:
    """Return a name that no other Pod has."""
    return f"{bot.name}-{purpose}-{secrets.token_hex(3)}"


@contextmanager
def run_pod(requests: Requests, pod: Document) -> Iterator[None]:
    """Have a Pod while inside; it is deleted after, whatever happens. Raises as the API server refuses it."""
    namespace = pod["metadata"]["namespace"]
    _remove_leftovers(requests, pod)
    try:
        requests.post(f"/api/v1/namespaces/{namespace}/pods", pod)
    except (KeyboardInterrupt, Unreachable):  # it may be there all the same
        with suppress(CommandFailed):
            delete_pod(requests, namespace, pod["metadata"]["name"])
        raise
    try:
        yield
    finally:
        delete_pod(requests, namespace, pod["metadata"]["name"])


def run_to_end(session: Session, pod: Document, seconds: int, *, running: str) -> tuple[PodState, list[str]]:
    """Have a Pod until it has ended; return its state and the lines that it logged. Raises CommandFailed."""
    metadata = pod["metadata"]
    with run_pod(session.cluster.requests, pod):
        state = wait_for_end(session, pod, seconds, running=running)
        ended = state.exit_code is not None
        log = [*session.cluster.stream_log(metadata["namespace"], metadata["name"])] if ended else []
    return state, [line for line in log if line.strip()]


def wait_for_end(session: Session, pod: Document, seconds: int, *, running: str) -> PodState:
    """Wait until a Pod has ended, and note what it does; `running` says what its trainer does. Raises CommandFailed."""
    metadata, said = pod["metadata"], ""
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    for _ in range(round(seconds / _POLL_SECONDS)):
        state = read_pod_state(session.cluster.requests.get(path))
        if state.ended:
            return state
        sentence = running if state.running else state.sentence
        if sentence != said:
            session.output.note(f"  {sentence}")
            said = sentence
        session.sleep(_POLL_SECONDS)
    raise CommandFailed(f"Pod {metadata['name']} did not end within {seconds} s: {said}.")


def delete_pod(requests: Requests, namespace: str, name: str) -> None:
    """Delete a Pod that may be gone already."""
    try:
        requests.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    except NotFound:
        return


def _remove_leftovers(requests: Requests, pod: Document) -> None:
    """Delete Pods of this purpose that ended while no plugin was there to do it; if that is refused, they stay."""
    metadata = pod["metadata"]
    labels = {name: metadata["labels"][name] for name in (MANAGED_BY_LABEL, BOT_LABEL, own_pods.COMPONENT_LABEL)}
    query = {"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())}
    looks = Looks(requests, metadata["namespace"])
    for found in looks.read(f"/api/v1/namespaces/{metadata['namespace']}/pods", query).items:
        if (found.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            with suppress(CommandFailed):
                delete_pod(requests, metadata["namespace"], found["metadata"]["name"])


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into Ctrl-C inside, so that the Pod is deleted."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
