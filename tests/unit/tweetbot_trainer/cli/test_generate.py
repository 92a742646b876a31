"""`tweetbot-trainer generate`, as people and programs give it."""

import json
import shutil
from pathlib import Path

import pytest

from builders.model import SAMPLING, a_base, some_card_data
from builders.published import a_dataset
from builders.stages import a_local_run, a_version
from harness.attacks.readout import encode_old_hashes
from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import DatasetResult
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.publishing.disclosure import Origin, read_origin
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.publishing.registry.download import load_copy_check
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.store import ObjectStore
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.interface import UnnamedRefusal


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model; what it writes is noise, and the seed gives it."""
    folder = tmp_path_factory.mktemp("finished") / "model"
    base = a_base()
    save_model(base.model, base.tokenizer, SAMPLING, folder)
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert run_command(["generate", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_seed_gives_the_posts(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again, other = (told(capsys, "--model", str(saved), "--seed", seed, "-n", "3")[0] for seed in "112")
    assert first.count("\n") == 3
    assert (first == again, first == other) == (True, False)


def test_temperature_and_top_p_change_what_is_drawn(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = {
        told(capsys, "--model", str(saved), "-n", "1", *options)[0]
        for options in ([], ["--temperature", "0.1"], ["--top-p", "0.02"])
    }
    assert len(drawn) == 3


def test_json_and_lines_of_json_tell_that_a_machine_wrote_it(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(told(capsys, "--model", str(saved), "-n", "2", "--json")[0])
    lines = [json.loads(line) for line in told(capsys, "--model", str(saved), "-n", "2", "--jsonl")[0].splitlines()]
    common = {
        "ai_generated": True,
        "disclosure": "AI-generated. A machine wrote this, not a person.",
        "model": None,
        "prompt": "My dream is",
        "seed": 42,
        "copies_checked": False,
    }
    assert whole == common | {"posts": [line["text"] for line in lines], "copies_thrown_away": 0}
    assert lines == [common | {"index": index, "text": post} for index, post in enumerate(whole["posts"])]


def test_a_draft_says_by_which_model_it_is_and_whom_it_imitates(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, card = shutil.copytree(saved, tmp_path / "model"), some_card_data()
    (mine / "README.md").write_text(render_card(card), encoding="utf-8")
    draft = json.loads(told(capsys, "--model", str(mine), "-n", "1", "--jsonl")[0])
    imitation = f"AI-generated imitation of @{card.handle}. A machine wrote this, not the person."
    assert (draft["model"], draft["disclosure"]) == (card.model_name, imitation)
    earlier = render_card(card).replace(f"disclosure: {imitation}\n", "")
    (mine / "README.md").write_text(earlier, encoding="utf-8")
    assert read_origin(mine) == Origin(card.model_name, card.handle, imitation)


@pytest.mark.parametrize(
    "card",
    [
        "no front matter", "---\n- a list\n---\n", "---\nmodel-index: gull\ndisclosure: [1]\n---\n", "---\n{\n---\n",
        "---\nmodel-index: [{name: 7}]\ndisclosure: ''\n---\n", f"---\n{'[' * 5000}\n---\n",
    ],
)  # fmt: skip
def test_a_card_that_somebody_else_wrote_tells_nothing(card: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert read_origin(tmp_path) == Origin()


def test_copies_are_thrown_away_unless_asked_for(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = told(capsys, "--model", str(saved), "-n", "3")[0].splitlines()
    dataset = a_dataset(tmp_path, posts[:1])
    given = ("--model", str(saved), "-n", "3", "--dataset", dataset)
    out, err = told(capsys, *given)
    assert out.splitlines()[:2] == posts[1:]
    assert err == "1 texts copied a post of the dataset and were discarded\n"
    assert json.loads(told(capsys, *given, "--json")[0])["copies_checked"]
    assert told(capsys, *given, "--keep-copies") == ("".join(f"{post}\n" for post in posts), "")
    folder = dataset.removeprefix("file://")
    assert told(capsys, "--model", str(saved), "-n", "3", "--dataset", folder)[0] == out


def test_copies_that_were_not_looked_for_are_told(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, "--model", str(saved), "-n", "1")
    assert (out.count("\n"), "was not compared: a folder does not tell" in err, "--dataset" in err) == (1, True, True)
    assert not json.loads(told(capsys, "--model", str(saved), "-n", "1", "--keep-copies", "--json")[0])[
        "copies_checked"
    ]
    assert told(capsys, "--model", str(saved), "-n", "1", "--keep-copies") == (out, "")


@pytest.mark.parametrize("name", ["d" * 64, "model"])
def test_a_dataset_that_cannot_be_read_is_refused(
    saved: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = told(capsys, "--model", str(saved), "--dataset", str(tmp_path / name), code=10)
    assert (out, str(tmp_path / name) in err) == ("", True)


def test_a_dataset_behind_a_proxy_that_refuses_is_told(saved: Path) -> None:
    """Others' models name datasets in buckets that are out of reach."""

    def refuse(uri: str) -> ObjectStore:
        raise UnnamedRefusal(reasons.FOREIGN_ENDPOINT, f"{uri} is not S3's")

    assert load_copy_check(refuse, found="s3://theirs/d").missing == "s3://theirs/d is not S3's"
    with pytest.raises(UnnamedRefusal):
        load_copy_check(refuse, given="s3://theirs/d")


def test_a_copy_of_a_model_with_the_old_file_is_told(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = shutil.copytree(saved, tmp_path / "model")
    (mine / "training_posts.hashes").write_bytes(encode_old_hashes(["a post"]))
    assert f"delete {mine}/training_posts.hashes: posts can be read" in told(capsys, "--model", str(mine))[1]


def test_a_model_that_only_copies_gives_nothing_and_says_what_to_do(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    greedy = ("--model", str(saved), "-n", "1", "--top-p", "0.0001")
    dataset = a_dataset(tmp_path, told(capsys, *greedy)[0].splitlines())
    out, err = told(capsys, *greedy, "--dataset", dataset, code=10)
    assert (out, "--temperature" in err, "--keep-copies" in err, "20 texts copied" in err) == ("", True, True, True)


def test_a_published_model_is_fetched_by_its_address_and_compared_with_its_dataset(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, store = a_local_run(tmp_path), FolderStore()
    here = told(capsys, "--model", str(saved))[0]
    dataset = a_dataset(tmp_path, here.splitlines()[:1])
    result = DatasetResult(digest=dataset[-64:], uri="s3://elsewhere/d", table=DataTable(downloaded=1, kept=1))
    manifest = a_version(saved.parent, run, dataset=result)
    publish(store, run, saved.parent, manifest)
    home = f"{run.prefix}/models/{manifest.version}"
    for uri in (run.prefix, f"{home}/model"):
        out, err = told(capsys, "--model", uri)
        assert (out.splitlines()[:4], err) == (
            here.splitlines()[1:],
            "1 texts copied a post of the dataset and were discarded\n",
        )
    for _ in store.erase(f"{dataset}/"):
        pass
    out, err = told(capsys, "--model", run.prefix)
    assert (out, f"was not compared: there is no dataset at {dataset}" in err) == (here, True)
    store.put(f"{home}/model/config.json", b"{}")
    assert "differs from its manifest" in told(capsys, "--model", run.prefix, code=10)[1]


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["-n", "0"], "-n/--count: write a number from 1 to 100"),
        (["--seed", "-1"], "--seed: write a whole number"),
        (["--seed", "9223372036854775808"], "--seed: write a whole number"),
        (["--temperature", "1e-45"], "--temperature: write a number from 0.01 to 2"),
        (["--temperature", "nan"], "--temperature: write a number from 0.01"),
        (["--top-p", "1.5"], "--top-p: write a number from 0.0001 to 1"),
        (["--json", "--jsonl"], "--jsonl: not allowed with argument --json"),
    ],
)
def test_a_wrong_flag_is_named(arguments: list[str], flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(["generate", "--model", "x", *arguments])
    assert (ended.value.code, flag in capsys.readouterr().err) == (2, True)


def test_what_is_wrong_with_a_model_or_a_prompt_names_the_flag(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--prompt leaves no room" in told(capsys, "--model", str(saved), "--prompt", "a" * 279, code=10)[1]
    assert "--model: there is no model in" in told(capsys, "--model", str(tmp_path), code=10)[1]
    mine = shutil.copytree(saved, tmp_path / "model")
    (mine / "generation_config.json").write_text("{}")
    assert "lacks values" in told(capsys, "--model", str(mine), code=10)[1]
    for wrong in ({"temperature": 0}, {"top_k": 0}, {"top_p": 1.5}, {"max_new_tokens": 10**6}, {"min_new_tokens": 161}):
        own = json.loads((saved / "generation_config.json").read_text())
        (mine / "generation_config.json").write_text(json.dumps(own | wrong))
        assert "unusable values" in told(capsys, "--model", str(mine), code=10)[1]


def test_an_address_without_a_model_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no published model at" in told(capsys, "--model", f"file://{tmp_path}", code=10)[1]
