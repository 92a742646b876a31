"""`history` says why each version is where it is, `compare` what two have in common and what not."""

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_folder, a_local_run, a_version
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import DatasetResult, Sample
from tweetbot_contract.status.tasks import PinRequest
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.publishing.registry.manifest import VersionManifest
from tweetbot_trainer.publishing.registry.ownership import OwnerRecord, PrefixUser
from tweetbot_trainer.publishing.registry.pinning import serve_pinned
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.retention import mark_adopted
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
GATE = "75.0 % of its samples are verbatim, and maxVerbatimPercent is 5"
Output = pytest.CaptureFixture[str]


def version(number: int) -> str:
    return hashlib.sha256(f"key {number}".encode()).hexdigest()[:16]


def prepare(folder: Path, number: int, **changes: Any) -> tuple[Any, Path, VersionManifest]:
    """Return the run of this day, its files and its manifest."""
    run = a_local_run(folder, run_id=f"{number:016x}", run_number=number)
    files = a_folder(folder / f"finished-{number}", b"weights")
    fields = {"training_key": hashlib.sha256(f"key {number}".encode()).hexdigest()}
    fields |= {"published_at": f"2026-11-{number:02}T06:00:00.000Z", **changes}
    return run, files, a_version(files, run, version(number), **fields)


def add(folder: Path, number: int, **changes: Any) -> Any:
    return publish(STORE, *prepare(folder, number, **changes))


def add_rejected(folder: Path, number: int, *missed: str) -> str:
    run, files, _ = prepare(folder, number)
    (files / "report" / "evaluation.json").write_text(json.dumps({"missedGates": missed}), encoding="utf-8")
    run, files, manifest = prepare(folder, number)
    return store_rejected(STORE, run, files, manifest, check=lambda: None)


def root(folder: Path) -> str:
    return a_local_run(folder).prefix


def shown(capsys: Output, *arguments: str) -> list[str]:
    assert run_command(list(arguments)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(columns(line) for line in lines if "://" not in line) <= 100  # an address stays whole
    return lines


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def document(capsys: Output, *arguments: str) -> dict[str, Any]:
    assert run_command([*arguments, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


# ---- history


def test_every_version_has_its_states_the_last_published_first(tmp_path: Path, capsys: Output) -> None:
    results = [add(tmp_path, number) for number in (1, 2, 3, 4)]
    add_rejected(tmp_path, 5, GATE)
    run = a_local_run(tmp_path)
    mark_adopted(STORE, run, results[1])
    pin = PinRequest(version=version(1), requested_at="2026-11-20T12:00:00Z", generation=2)
    serve_pinned(STORE, a_local_run(tmp_path, pin=pin))
    owner = OwnerRecord.model_validate_json(STORE.get(f"{run.prefix}/owner.json"))
    user = PrefixUser(cluster="elsewhere", uid="uid-other", since="2026-11-20T12:00:00Z", version=version(3))
    STORE.put(f"{run.prefix}/owner.json", owner.model_copy(update={"users": (user,)}).encode())

    found = document(capsys, "history", "--root", root(tmp_path))
    assert [(each["version"], each["states"]) for each in found["versions"]] == [
        (version(5), ["rejected"]),
        (version(4), ["served without the pin"]),
        (version(3), ["used by another cluster"]),
        (version(2), ["adopted"]),
        (version(1), ["served", "pinned"]),
    ]
    assert (found["versions"][0]["why"], found["pin"]) == ([GATE], version(1))

    lines = shown(capsys, "history", "--root", root(tmp_path))
    assert lines[1].split() == [version(5), "2026-11-05", "06:00", "2.000", "1.500", "-", "-", "rejected"]
    assert lines[2] == f"    {GATE}"
    assert lines[-1].endswith("served, pinned")


def test_a_version_that_nothing_holds_is_kept(tmp_path: Path, capsys: Output) -> None:
    add(tmp_path, 1), add(tmp_path, 2)
    assert [line.split()[-1] for line in shown(capsys, "history", "--root", root(tmp_path))[1:]] == ["served", "kept"]


def test_a_manifest_that_cannot_be_read_is_told(tmp_path: Path, capsys: Output) -> None:
    add(tmp_path, 1)
    STORE.put(f"{root(tmp_path)}/models/{version(2)}/MANIFEST.json", b"{")
    lines = shown(capsys, "history", "--root", root(tmp_path))
    assert lines[-2:] == [
        f"{version(2)}      its manifest cannot be read",
        f"    {root(tmp_path)}/models/{version(2)}",
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"missedGates": 7}', "null"])
def test_a_rejected_version_without_a_readable_report_is_listed_all_the_same(
    tmp_path: Path, capsys: Output, content: str
) -> None:
    home = add_rejected(tmp_path, 1, GATE)
    STORE.put(f"{home}/report/evaluation.json", content.encode())
    (found,) = document(capsys, "history", "--root", root(tmp_path))["versions"]
    assert (found["states"], found["why"]) == (["rejected"], [])


def test_a_pin_that_names_nothing_here_is_told(tmp_path: Path, capsys: Output) -> None:
    add(tmp_path, 1)
    pin = {"version": version(7), "requestedAt": "2026-11-20T12:00:00Z", "generation": 2, "uid": "uid-gull"}
    latest = json.loads(STORE.get(f"{root(tmp_path)}/latest.json")) | {"pin": pin}
    STORE.put(f"{root(tmp_path)}/latest.json", json.dumps(latest).encode())
    assert shown(capsys, "history", "--root", root(tmp_path))[-1] == f"spec.pin names {version(7)}, which is not here"


def test_the_wrong_folder_is_told(tmp_path: Path, capsys: Output) -> None:
    assert run_command(["history", "--root", f"file://{tmp_path}/nowhere"]) == 10
    assert "give the folder of a TweetBot, <output>/<namespace>/<name>" in capsys.readouterr().err


# ---- compare


def a_dataset(digest: str, kept: int) -> DatasetResult:
    return DatasetResult(digest=digest * 64, uri="s3://b/d", table=DataTable(downloaded=kept, kept=kept))


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two versions that differ in data, values and program; the second has style scores."""
    _, _, plain = prepare(tmp_path, 1)
    before = plain.provenance.model_copy(
        update={"training": {"epochs": 4, "lora": {"rank": 8}}, "versions": {"torch": "2.1", "numpy": "2"}}
    )
    after = before.model_copy(
        update={"training": {"epochs": 1, "lora": {"rank": 16}}, "versions": {"torch": "2.2", "numpy": "2"}}
    )
    metrics = plain.metrics.model_copy(update={"eval_loss": 3.0, "style_score": 0.81, "verbatim_rate": 0.75})
    too_few = "The dataset has too few posts held out to tell how its author writes. " * 3
    unknown = plain.metrics.model_copy(update={"style_not_measured": too_few})
    long = "the harbour is full of lanterns tonight and nobody has asked the gulls what they think about that"
    add(tmp_path, 1, provenance=before, dataset=a_dataset("a", 200), metrics=unknown)
    add(
        tmp_path,
        2,
        provenance=after,
        dataset=a_dataset("b", 300),
        metrics=metrics,
        samples=(
            Sample(prompt="My dream is", text=long),
            Sample(prompt="My dream is", text="港の灯台はとても静かで、カモメだけが空を飛んでいる。" * 4),
            Sample(prompt="The sea", text="The sea \x1b[31mis\n red"),
        ),
    )
    return tmp_path


def test_figures_differences_and_samples_stand_side_by_side(two: Path, capsys: Output) -> None:
    found = document(capsys, "compare", version(1), version(2), "--root", root(two))
    assert found["figures"]["evalLoss"] == {"a": 2.0, "b": 3.0}
    assert found["figures"]["styleScore"] == {"a": None, "b": 0.81}
    assert found["samePosts"] is False
    assert found["differences"] == {
        "data": {
            "digest": {"a": "a" * 64, "b": "b" * 64},
            "downloaded": {"a": 200, "b": 300},
            "kept": {"a": 200, "b": 300},
        },
        "values": {"epochs": {"a": 4, "b": 1}, "lora.rank": {"a": 8, "b": 16}},
        "program": {"torch": {"a": "2.1", "b": "2.2"}},
    }
    assert [(each["prompt"], len(each["a"]), len(each["b"])) for each in found["samples"]] == [
        ("My dream is", 1, 2),
        ("The sea", 0, 1),
    ]


def test_the_text_has_a_hundred_columns_and_no_command_for_the_terminal(two: Path, capsys: Output) -> None:
    lines = shown(capsys, "compare", version(1), version(2), "--root", root(two))
    text = "\n".join(lines)
    assert "evalLoss                                     2.000                       3.000             +50.0 %" in lines
    assert "verbatimRate                                     -                      75.0 %" in lines
    assert "They were tested on different posts, so figures on test posts compare only roughly." in lines
    assert "\x1b" not in text
    assert "My dream is the harbour                            the harbour is full of lanterns tonight and" in lines


def test_addresses_name_versions_of_any_bot_rejected_ones_too(two: Path, capsys: Output) -> None:
    home = add_rejected(two, 3, GATE)
    found = document(capsys, "compare", f"{root(two)}/latest.json", home)
    assert (found["a"]["version"], found["b"]["uri"]) == (version(2), home)
    found = document(capsys, "compare", version(3), root(two), "--root", root(two))
    assert (found["a"]["uri"], found["b"]["version"]) == (home, version(2))


def test_a_version_and_itself_differ_in_nothing(two: Path, capsys: Output) -> None:
    lines = shown(capsys, "compare", version(1), version(1), "--root", root(two))
    assert "made from the same data, base, values and program" in lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one", "two"], "one is no address: write s3://… or file:///…, or add --root"),
        (["ROOT", "two"], "two is no address"),
        (["one", "two", "--root", "ROOT"], "there is no version one in ROOT: `tweetbot-trainer history --root ROOT`"),
        (["ROOT/models/none", "ROOT"], "there is no published model at ROOT/models/none"),
        (["one", "two", "--root", "here"], "here is not an address"),
    ],
)
def test_what_is_not_there_is_told(two: Path, capsys: Output, arguments: list[str], said: str) -> None:
    given = [argument.replace("ROOT", root(two)) for argument in arguments]
    assert run_command(["compare", *given]) == 10
    assert said.replace("ROOT", root(two)) in capsys.readouterr().err
