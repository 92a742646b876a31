"""What commands ask of a cluster, in frozen types. Raises the failures of `failures.py`."""

import base64
import difflib
from collections.abc import Iterator
from urllib.parse import quote

from tweetbot_contract.handover import BOT_LABEL, GROUP, KIND, PLURAL, VERSION
from tweetbot_contract.manifest import BaseTweetBot
from tweetbot_kubectl.cluster import parse
from tweetbot_kubectl.cluster.objects import EventView, JobView, PodView
from tweetbot_kubectl.cluster.requests import PAGE, Document, Requests
from tweetbot_kubectl.failures import CommandFailed, NotFound

_BOTS = f"/apis/{GROUP}/{VERSION}"
#: Names that "not found" shows.
_SHOWN = 10


class Cluster:
    """The TweetBots of a cluster, and what runs for them."""

    def __init__(self, requests: Requests) -> None:
        self.requests = requests

    def list_bots(self, namespace: str | None) -> tuple[BaseTweetBot, ...]:
        """Return the TweetBots of a namespace, or of all, without their specs; in the order of their names."""
        try:
            items = tuple(self._list(f"{_BOTS}{_in_namespace(namespace)}/{PLURAL}"))
        except NotFound:
            advice = "install the chart, or use another --context"
            raise NotFound(f"This cluster does not know TweetBots: {advice} (docs/install.md).") from None
        return tuple(parse.parse_summary(item) for item in items)

    def get_bot(self, namespace: str, name: str) -> BaseTweetBot:
        """Return a TweetBot, with its spec if that is valid. Raises NotFound, which says which names there are."""
        return parse.parse_bot(self.get_bot_document(namespace, name))

    def get_bot_document(self, namespace: str, name: str) -> Document:
        """Return a TweetBot as the API server has it. Raises NotFound, which says which names there are."""
        try:
            return self.requests.get(build_bot_path(namespace, name))
        except NotFound:
            raise self._build_not_found(namespace, name) from None

    def list_jobs(self, namespace: str, bot: str) -> tuple[JobView, ...]:
        """Return a TweetBot's Jobs, the oldest first."""
        items = self._list(f"/apis/batch/v1/namespaces/{namespace}/jobs", _select_bot(bot))
        return tuple(sorted(map(parse.parse_job, items), key=lambda job: (job.created_at, job.name)))

    def list_pods(self, namespace: str, bot: str) -> tuple[PodView, ...]:
        """Return the Pods of a TweetBot's Jobs, the oldest first."""
        items = self._list(f"/api/v1/namespaces/{namespace}/pods", _select_bot(bot))
        return tuple(sorted(map(parse.parse_pod, items), key=lambda pod: (pod.created_at, pod.name)))

    def list_events(self, namespace: str, name: str, kind: str = KIND) -> tuple[EventView, ...]:
        """Return the Events of an object, the newest first. Most clusters keep them for an hour."""
        query = {"fieldSelector": f"involvedObject.kind={kind},involvedObject.name={name}"}
        found = map(parse.parse_event, self._list(f"/api/v1/namespaces/{namespace}/events", query))
        return tuple(sorted(found, key=lambda event: event.at, reverse=True))

    def stream_log(self, namespace: str, pod: str, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines that the trainer's container of a Pod has written, and with `follow` those that it writes."""
        query = {"container": parse.CONTAINER, **({"follow": "true"} if follow else {})}
        return self.requests.stream_lines(f"/api/v1/namespaces/{namespace}/pods/{quote(pod)}/log", query)

    def read_secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return the keys of a Secret, decoded. Raises NotFound and Forbidden."""
        found = self.requests.get(f"/api/v1/namespaces/{namespace}/secrets/{quote(name)}")
        return {
            key: base64.b64decode(value).decode(errors="replace") for key, value in (found.get("data") or {}).items()
        }

    def _list(self, path: str, query: dict[str, str] | None = None) -> Iterator[Document]:
        query = {**(query or {}), "limit": str(PAGE)}
        while True:
            page = self.requests.get(path, query)
            yield from page.get("items") or ()
            if not (token := (page.get("metadata") or {}).get("continue")):
                return
            query["continue"] = token

    def _build_not_found(self, namespace: str, name: str) -> NotFound:
        try:
            names = [bot.name for bot in self.list_bots(namespace)]
        except NotFound as unknown:
            return unknown
        except CommandFailed:
            names = []
        message = f'TweetBot "{name}" not found in namespace {namespace}.'
        return NotFound(f"{message} {_describe_names(names, name)}")


def build_bot_path(namespace: str, name: str) -> str:
    """Return the path of a TweetBot at the API server."""
    return f"{_BOTS}/namespaces/{namespace}/{PLURAL}/{quote(name)}"


def _in_namespace(namespace: str | None) -> str:
    return f"/namespaces/{namespace}" if namespace else ""


def _select_bot(bot: str) -> dict[str, str]:
    return {"labelSelector": f"{BOT_LABEL}={bot}"}


def _describe_names(names: list[str], name: str) -> str:
    """Say which TweetBots there are, those with similar names first."""
    if not names:
        return "There are no TweetBots there; `kubectl tweetbot list -A` shows those of all namespaces."
    close = difflib.get_close_matches(name, names)
    shown = [*close, *(each for each in names if each not in close)][:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"It has {', '.join(shown)}{more}."
