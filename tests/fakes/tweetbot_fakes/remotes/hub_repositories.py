"""A Hugging Face Hub that takes models, spoken to by the real client: repositories, commits, LFS uploads, tags."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import unquote

import yaml

from tweetbot_fakes.remotes.model_hub import Answer, refused
from tweetbot_fakes.remotes.served import Served

TOKEN = "hf_writer"
#: Rejected as the Hub rejects tokens that it does not know, or no longer.
BAD_TOKEN = refused(401, "", "Invalid credentials in Authorization header")
JSON = {"content-type": "application/json"}


@dataclass
class Repository:
    """A repository: `commits` are its files after each commit, the newest last, by the commit's name."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"0" * 40: {".gitattributes": b"\n"}})
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[self.head]


@dataclass
class _Fault:
    part: str
    answer: Answer | None
    times: int


class FakeRepositories(Served):
    """`asked` has the method and the path of every request. Without the token nothing is answered."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__(_make_handler(self))
        self._token = token
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self._uploads: dict[str, bytes] = {}
        self._faults: list[_Fault] = []
        self._interposed: list[tuple[str, Callable[[], None]]] = []
        self._closing = threading.Event()

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        super().__exit__()

    def add(self, name: str, *, private: bool = True, files: dict[str, bytes] | None = None) -> Repository:
        """Add a repository that somebody made on the Hub's pages."""
        self.repositories[name] = Repository(private)
        if files:
            self.repositories[name].commits["1" * 40] = dict(files)
        return self.repositories[name]

    def fail(self, part: str, answer: Answer, *, times: int = 1) -> Self:
        """Answer so to the next requests, written as `POST /path`, that have this part."""
        self._faults.append(_Fault(part, answer, times))
        return self

    def hang(self, part: str) -> Self:
        """Answer no such request, as long as the hub is there."""
        self._faults.append(_Fault(part, None, 1000))
        return self

    def interpose(self, part: str, action: Callable[[], None]) -> Self:
        """Do something once, just before the next such request is answered."""
        self._interposed.append((part, action))
        return self

    def count(self, part: str) -> int:
        """Return how many requests have this part."""
        return sum(part in line for line in self.asked)

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        """Return the answer to a request; a hung one is answered when the hub is closed."""
        line = f"{method} {path}"
        self.asked.append(line)
        for due in [each for each in self._interposed if each[0] in line]:
            self._interposed.remove(due)
            due[1]()
        for fault in self._faults:
            if fault.part in line and fault.times:
                fault.times -= 1
                if fault.answer is None:
                    self._closing.wait()
                return fault.answer or (503, {}, b"")
        if path.startswith(("/lfs/", "/verify")):
            return self._take_upload(path, body)
        return self._route(method, path, body) if token == f"Bearer {self._token}" else BAD_TOKEN

    def _route(self, method: str, path: str, body: bytes) -> Answer:
        said: dict[str, Any] = json.loads(body) if body.startswith(b"{") and b"}\n{" not in body else {}
        if path == "/api/repos/create":
            return self._create(said)
        if path == "/api/repos/delete":
            gone = self.repositories.pop(f"{said['organization']}/{said['name']}", None)
            return _json({}) if gone else refused(404, "RepoNotFound")
        if path == "/api/validate-yaml":
            return _validate(said["content"])
        name, repository, rest = self._find(path)
        if repository is None:
            return refused(404, "RepoNotFound", "Repository not found")
        actions: dict[str, Callable[[], Answer]] = {
            "": lambda: _describe(name, repository),
            "preupload": lambda: _choose_modes(repository, said),
            ".git": lambda: self._open_uploads(said),
            "commit": lambda: self._commit(name, repository, body),
            "tag": lambda: _tag(repository, rest, said),
            "resolve": lambda: _read(repository, rest),
        }
        return actions[rest[0]]()

    def _find(self, path: str) -> tuple[str, Repository | None, list[str]]:
        """Split a path into the repository's name and what follows it."""
        owner, name, *rest = path.removeprefix("/api/models").strip("/").split("/")
        name, git, _ = name.partition(".git")
        return f"{owner}/{name}", self.repositories.get(f"{owner}/{name}"), ([git] if git else []) + rest or [""]

    def _create(self, said: dict[str, Any]) -> Answer:
        name = f"{said['organization']}/{said['name']}"
        if name in self.repositories:
            return refused(409, "", "You already created this model repo")
        private = said.get("private", said.get("visibility") == "private")
        self.repositories[name] = Repository(bool(private))
        return _json({"url": f"{self.url}/{name}"})

    def _open_uploads(self, said: dict[str, Any]) -> Answer:
        return _json({"transfer": "basic", "objects": [self._open_upload(each) for each in said["objects"]]})

    def _open_upload(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self._uploads:
            return wanted
        actions = {"upload": {"href": f"{self.url}/lfs/{wanted['oid']}"}, "verify": {"href": f"{self.url}/verify"}}
        return {**wanted, "actions": actions}

    def _take_upload(self, path: str, body: bytes) -> Answer:
        oid = path.removeprefix("/lfs/")
        if path != "/verify" and hashlib.sha256(body).hexdigest() != oid:
            return refused(400, "", "wrong bytes")
        if path != "/verify":
            self._uploads[oid] = body
        return _json({})

    def _commit(self, name: str, repository: Repository, body: bytes) -> Answer:
        lines = [json.loads(line) for line in body.splitlines()]
        if lines[0]["value"].get("parentCommit", repository.head) != repository.head:
            return refused(412, "", "A commit has happened since")
        files = dict(repository.files)
        for line in lines[1:]:
            value = line["value"]
            match line["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self._uploads[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        commit = hashlib.sha1(f"{len(repository.commits)}".encode() + body, usedforsecurity=False).hexdigest()
        repository.commits[commit] = files
        return _json({"success": True, "commitOid": commit, "commitUrl": f"{self.url}/{name}/commit/{commit}"})


def _describe(name: str, repository: Repository) -> Answer:
    siblings = [{"rfilename": file} for file in repository.files]
    return _json({"id": name, "sha": repository.head, "private": repository.private, "siblings": siblings, "tags": []})


def _validate(content: str) -> Answer:
    """Check the head of a card as the Hub does: it must be YAML, and name what the widget needs."""
    front = yaml.safe_load(content.split("---\n")[1])
    missing = {"pipeline_tag", "license", "widget", "tags"} - set(front)
    errors = [{"message": f"{name} is missing"} for name in sorted(missing)]
    return (400 if errors else 200), JSON, json.dumps({"errors": errors, "warnings": []}).encode()


def _choose_modes(repository: Repository, said: dict[str, Any]) -> Answer:
    files = [
        {
            "path": each["path"],
            "uploadMode": "lfs" if each["path"].endswith(".safetensors") else "regular",
            "shouldIgnore": False,
            "oid": _compute_oid(each["path"], repository.files.get(each["path"])),
        }
        for each in said["files"]
    ]
    return _json({"files": files})


def _compute_oid(path: str, content: bytes | None) -> str | None:
    if content is None:
        return None
    if path.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _tag(repository: Repository, rest: list[str], said: dict[str, Any]) -> Answer:
    if said["tag"] in repository.tags:
        return refused(409, "", "Tag reference exists already")
    repository.tags[said["tag"]] = rest[1]
    return _json({})


def _read(repository: Repository, rest: list[str]) -> Answer:
    found = repository.commits[rest[1]].get(unquote("/".join(rest[2:])))
    return refused(404, "EntryNotFound", "Entry not found") if found is None else (200, {}, found)


def _json(content: object) -> Answer:
    return 200, JSON, json.dumps(content).encode()


def _make_handler(hub: FakeRepositories) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else the client's acknowledgement of the first is waited for

        def log_message(self, format: str, *args: Any) -> None:
            """Tests stay quiet."""

        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            status, headers, body = hub.answer(self.command, path, self.headers.get("authorization", ""), self._body())
            with suppress(ConnectionError):  # a client that has given up
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            found = bytearray()
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(found)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer

    return Handler
