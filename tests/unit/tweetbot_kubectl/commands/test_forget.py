"""`kubectl tweetbot forget`."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import Terminal, a_condition, a_model, a_stored_bot, run_plugin

GULL = "/apis/tweetbot.dev/v1alpha1/namespaces/team-a/tweetbots/gull"
NOON = "2026-01-01T12:00:00Z"


@pytest.fixture
def ids(tmp_path: Path) -> str:
    file = tmp_path / "deleted.txt"
    file.write_text("8\n7\n")
    return str(file)


def a_bot(*known: str, version: str = "1", manager: str = "", **spec: Any) -> dict[str, Any]:
    bot = a_stored_bot(status={"model": a_model()}, filter={"excludeIds": list(known)}, **spec)
    bot["metadata"]["resourceVersion"] = version
    if manager:
        bot["metadata"]["managedFields"] = [{"manager": manager, "fieldsV1": {"f:spec": {"f:sources": {}}}}]
    return bot


def patch_of(*excluded: str, version: str = "1") -> tuple[str, str, Any]:
    metadata = {"resourceVersion": version, "annotations": {"tweetbot.dev/forget-at": NOON}}
    return ("PATCH", GULL, {"metadata": metadata, "spec": {"filter": {"excludeIds": list(excluded)}}})


def test_ids_and_annotation_go_in_one_patch_that_keeps_earlier_ids(ids: str) -> None:
    api = FakeApi(a_bot("9", "7"))
    done = run_plugin(api, "forget", "gull", "--ids", ids, "--yes")
    assert (done.code, api.sent) == (0, [patch_of("9", "7", "8")])
    assert "Asked gull to forget posts: 1 new, 3 in spec.filter.excludeIds." in done.output
    assert "A run learns again, without the posts." in done.output
    assert "X's terms give 24 hours" in done.output


def test_ids_that_others_add_meanwhile_stay(ids: str, monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi(a_bot())
    first = FakeApi.patch

    def add_another(self: FakeApi, *arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(FakeApi, "patch", first)
        self.add(a_bot("99", version="2"))
        return first(self, *arguments, **options)

    monkeypatch.setattr(FakeApi, "patch", add_another)
    assert run_plugin(api, "forget", "gull", "--ids", ids, "--yes").code == 0
    assert api.sent == [patch_of("99", "7", "8", version="2")]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(ids: str) -> None:
    api = FakeApi(a_bot())
    done = run_plugin(api, "forget", "gull", "--ids", ids, "--dry-run", "-o", "json")
    document = json.loads(done.output)
    assert (done.code, api.sent, document["asked"], document["added"]) == (0, [], False, 2)


@pytest.mark.parametrize(("answer", "code", "sent"), [("y\n", 0, 1), ("\n", 1, 0), ("", 1, 0)])
def test_a_person_is_asked_first(ids: str, answer: str, code: int, sent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    api = FakeApi(a_bot())
    done = run_plugin(api, "forget", "gull", "--ids", ids)
    assert (done.code, len(api.sent)) == (code, sent)
    assert "is erased for good" in done.notes
    assert done.output.count("erased for good") == 0


def test_where_nobody_can_answer_the_flag_is_named(ids: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    done = run_plugin(FakeApi(a_bot()), "forget", "gull", "--ids", ids)
    assert (done.code, "--yes" in done.notes) == (2, True)


def test_a_pin_that_keeps_the_posts_served_is_told(ids: str) -> None:
    done = run_plugin(FakeApi(a_bot(pin="1" * 16)), "forget", "gull", "--ids", ids, "--yes")
    assert "kubectl tweetbot unpin gull" in done.output


def test_what_to_commit_is_shown_where_a_gitops_tool_manages_the_tweetbot(ids: str) -> None:
    done = run_plugin(FakeApi(a_bot(manager="kustomize-controller")), "forget", "gull", "--ids", ids, "--yes")
    assert "Warning: Flux manages this TweetBot" in done.output
    snippet = done.output[done.output.index("\nmetadata: ") :]
    assert yaml.safe_load(snippet) == {
        "metadata": {"annotations": {"tweetbot.dev/forget-at": NOON}},
        "spec": {"filter": {"excludeIds": ["7", "8"]}},
    }
    done = run_plugin(FakeApi(a_bot(manager="kubectl-edit")), "forget", "gull", "--ids", ids, "--yes")
    assert "Warning" not in done.output


def test_more_ids_than_fit_are_refused_with_what_to_do(tmp_path: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_text("\n".join(map(str, range(1001))))
    api = FakeApi(a_bot())
    done = run_plugin(api, "forget", "gull", "--ids", str(many), "--yes")
    assert (done.code, api.sent) == (1, [])
    assert "takes 1000 ids; gull has 0, and 1001 would come. Delete the posts at the source" in done.notes


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "names no post"), (b"{", "line 1: write an id"), (b"\xff", "is not UTF-8"), (b"x" * 200, "no id of a post")],
)
def test_a_list_that_is_none_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "ids"
    file.write_bytes(content)
    done = run_plugin(FakeApi(a_bot()), "forget", "gull", "--ids", str(file), "--yes")
    assert (done.code in (1, 2), said in done.notes) == (True, True)
    done = run_plugin(FakeApi(a_bot()), "forget", "gull", "--ids", str(tmp_path / "none"), "--yes")
    assert (done.code, "cannot be read" in done.notes) == (2, True)


def test_who_may_not_patch_is_told_who_grants_it(ids: str) -> None:
    api = FakeApi(a_bot())
    api.forbid("patch", "tweetbots")
    done = run_plugin(api, "forget", "gull", "--ids", ids, "--yes")
    assert (done.code, "You may not patch tweetbots in namespace team-a" in done.notes) == (4, True)


@pytest.mark.parametrize(
    ("outcome", "stalled", "code"), [("Succeeded", "False", 0), ("Incomplete", "False", 1), (None, "True", 1)]
)
def test_it_waits_until_all_is_erased_or_a_person_is_needed(
    ids: str, outcome: str | None, stalled: str, code: int
) -> None:
    api, looks = FakeApi(a_bot()), 0

    def look(seconds: float) -> None:
        nonlocal looks
        looks += 1
        api.add(a_bot_that_forgets("before", "Succeeded") if looks == 1 else a_bot_that_forgets(NOON, outcome, stalled))

    done = run_plugin(api, "forget", "gull", "--ids", ids, "--yes", "--wait", sleep=look)
    assert (done.code, looks) == (code, 2)
    assert done.notes.splitlines() == ["Waiting for the operator.", "This is how it stands."]


def a_bot_that_forgets(request: str, outcome: str | None, stalled: str = "False") -> dict[str, Any]:
    conditions = [
        a_condition("DataStale", "True", "Forgetting", "This is how it stands."),
        a_condition("Stalled", stalled, "GateFailed"),
    ]
    forget = {"request": request, "requestedAt": NOON, "outcome": outcome}
    bot = a_bot()
    bot["status"] |= {"conditions": conditions, "forget": forget}
    return bot


@pytest.mark.parametrize(("asked", "said"), [("2026-01-01T09:00:00Z", "21h left"), ("2025-12-31T10:00:00Z", "overdue")])
def test_the_status_shows_the_time_that_is_left(asked: str, said: str) -> None:
    bot = a_bot_that_forgets(NOON, None)
    bot["status"]["forget"]["requestedAt"] = asked
    output = run_plugin(FakeApi(bot), "status", "gull").output
    (line,) = [line for line in output.splitlines() if line.startswith("forget")]
    assert said in line
    assert "This is how it stands." in line
    assert "forget" not in run_plugin(FakeApi(a_bot()), "status", "gull").output
