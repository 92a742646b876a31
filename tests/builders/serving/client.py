"""A client of an ASGI app in the same process, and a served model that is small and fast."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from builders.model import SAMPLING, a_base
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.publishing.disclosure import build_disclosure
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.publishing.registry.download import CopyCheck
from tweetbot_trainer.serving.access import build_access
from tweetbot_trainer.serving.app import build_app
from tweetbot_trainer.serving.drafting.served import About, ServedModel, load_served_model

UNKNOWN_DATASET = CopyCheck(None, "no dataset is known")


def a_served_model(folder: Path, name: str = "gull", *, posts: tuple[str, ...] = (), **about: Any) -> ServedModel:
    """Save an untrained model in the folder, and load it as one that learned from these posts."""
    if not (folder / "config.json").exists():
        base = a_base()
        save_model(base.model, base.tokenizer, SAMPLING, folder)
    check = CopyCheck(CopyDetector.from_posts(posts)) if posts else UNKNOWN_DATASET
    return load_served_model(
        folder,
        About(name, handle="harbour_gull", person="Harbour Gull", disclosure=build_disclosure("harbour_gull"), **about),
        check,
    )


def a_server(*models: ServedModel, token: str | None = None, host: str = "127.0.0.1") -> ASGIApp:
    """Return the app that serves these models."""
    return build_app(models, build_access(host, token))


@dataclass
class Answer:
    """An answer as it came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The server-sent events: names and contents."""
        found = []
        for block in self.text.strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            content = fields["data"]
            found.append((fields.get("event", ""), content if content == "[DONE]" else json.loads(content)))
        return found


@dataclass
class Client:
    """A browser or a program. `gone` is set when it goes away."""

    app: ASGIApp
    headers: Mapping[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, content: Any, **headers: str) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.ask("POST", path, body, headers=headers)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str],
        gone: asyncio.Event | None = None,
    ) -> Answer:
        """Ask, and return the answer. With `gone`, the client goes away when that is set."""
        answer, sent, gone = Answer(), iter([{"type": "http.request", "body": body}]), gone or asyncio.Event()

        async def receive() -> Message:
            message = next(sent, None)
            if message is None:
                await gone.wait()
                return {"type": "http.disconnect"}
            return message

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self.app(self._build_scope(method, path, headers), receive, send)
        return answer

    def _build_scope(self, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        plain, _, query = path.partition("?")
        given = {
            "host": "127.0.0.1:8080",
            **self.headers,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), text.encode()) for name, text in given.items()],
            "server": ("127.0.0.1", 8080),
            "client": ("127.0.0.1", 50000),
            "state": {},
        }
