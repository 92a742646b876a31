"""A new version beside the served one: better takes worse's place, and never the other way round unseen."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_context, a_local_run, a_source
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.publishing.registry.latest import read_served_version
from tweetbot_trainer.publishing.registry.manifest import build_version_uri, read_version
from tweetbot_trainer.runtime.errors import GateFailed
from tweetbot_trainer.stages.champion import compare_with_served, measure_version
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.train import train
from tweetbot_trainer.stages.training_plan import build_training_plan
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

STORE = FolderStore()
GOOD, BAD = {"epochs": 3}, {"epochs": 1}


@pytest.fixture(autouse=True)
def few_measured_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 20)


@dataclass
class Bot:
    """A TweetBot whose source, bucket and spec a test changes; each run is the next of the same TweetBot."""

    folder: Path
    runs: int = 0

    def make_context(self, training: dict[str, Any], gates: dict[str, int] | None = None, **spec: Any) -> StageContext:
        """Return the surroundings of the train stage of the run that this spec asks for, prepared."""
        self.runs += 1
        spec = {"training": training, "evaluation": {"gates": gates or {}, "samples": 1}, **spec}
        identity: dict[str, Any] = {"spec": spec, "run_id": f"{self.runs:016}", "run_number": self.runs}
        prepared = prepare(a_context(self.folder, a_local_run(self.folder, **identity)))
        self.adopted = prepared.adopted
        run = a_local_run(self.folder, **identity, stage="Train", dataset=prepared.dataset.digest)
        return a_context(self.folder, run)

    def run(self, training: dict[str, Any], gates: dict[str, int] | None = None, **spec: Any) -> TrainSucceeded:
        """Run both stages as the operator does."""
        context = self.make_context(training, gates, **spec)
        return self.adopted or train(context)

    @property
    def served(self) -> str | None:
        return read_served_version(STORE, a_local_run(self.folder))

    def erase(self, pattern: str) -> None:
        for path in (self.folder / "bucket" / "team-a" / "gull").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, scales_are_fitted_once: None) -> Path:
    """Return the folder of a bot whose good model is served."""
    folder = tmp_path_factory.mktemp("champion")
    a_source(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 20)
        Bot(folder).run(GOOD)
    return folder


@pytest.fixture
def bot(trained: Path, tmp_path: Path) -> Bot:
    """Return a bot of its own whose good model is served."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return Bot(tmp_path, runs=1)


def test_an_edit_that_makes_the_model_worse_moves_no_pointer_and_can_be_accepted_or_undone(bot: Bot) -> None:
    good = bot.served
    with pytest.raises(GateFailed) as failed:
        bot.run(BAD)
    error = failed.value
    assert (str(error.reason), bot.served) == ("GateFailed", good)
    assert f" % above those of the served version {good} on the same 22 test posts (95 % interval +" in error.message
    assert "/rejected/" in error.message
    assert "set spec.evaluation.gates.maxRegressionPercent: 100" in error.message
    assert error.figures is not None
    assert error.figures.bits_per_byte > 0

    with pytest.raises(GateFailed, match="and maxRegressionPercent is 1"):
        bot.run(BAD, {"maxRegressionPercent": 1})
    accepted = bot.run(BAD, {"maxRegressionPercent": 100})
    assert bot.served == accepted.model.uri.split("/")[-2] != good

    assert bot.run(GOOD).model.uri.split("/")[-2] == bot.served == good
    assert bot.adopted


def test_a_better_model_takes_the_place_and_its_card_says_by_how_much(tmp_path: Path) -> None:
    a_source(tmp_path)
    bot = Bot(tmp_path)
    bot.run(BAD)
    former = bot.served
    result = bot.run(GOOD)
    assert bot.served != former
    card = STORE.get(f"{result.model.uri}/README.md").decode()
    assert f"% below those of the served version {former} on the same 22 test posts" in card
    report = json.loads(STORE.get(f"{result.model.uri.removesuffix('/model')}/report/evaluation.json"))
    assert report["comparison"]["version"] == former
    assert report["comparison"]["posts"] == 22
    assert report["comparison"]["interval"][1] < 1
    assert result.gate_advisory is None


def test_a_retrain_on_newer_posts_is_compared_on_the_newer_test_part(bot: Bot) -> None:
    good = bot.served
    a_source(bot.folder, posts=260)
    with pytest.raises(GateFailed, match=f"above those of the served version {good} on the same 26 test posts"):
        bot.run(BAD)
    assert bot.served == good


def compare(bot: Bot, context: StageContext, *, suffix: str = "") -> Comparison | NoComparison | None:
    """Compare the served model with itself, on the test posts of a run, with a suffix as by other cleaning."""
    plan, run = build_training_plan(context), context.run
    test = split(load_dataset(STORE, run, plan.data.digest).posts, plan.values.holdout_percent).test
    test = tuple(replace(post, text=f"{post.text}{suffix}") for post in test)
    served = read_version(STORE, build_version_uri(run, bot.served or ""))
    assert served is not None
    return compare_with_served(context, plan, test, measure_version(context, served, test))


def test_posts_that_the_served_model_was_trained_on_prove_nothing(bot: Bot) -> None:
    context = bot.make_context({**BAD, "holdoutPercent": 30})
    for suffix in ("", " @user"):
        found = compare(bot, context, suffix=suffix)
        assert isinstance(found, Comparison)
        assert (found.posts, found.ratio, found.interval) == (22, 1, (1, 1))  # of 66


def test_a_model_that_learned_posts_that_have_to_go_is_no_measure(bot: Bot) -> None:
    before = bot.make_context(BAD)
    known = load_dataset(STORE, before.run, before.run.dataset or "").posts[0]
    assert compare(bot, bot.make_context(BAD, filter={"excludeIds": [known.id]})) is None


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("datasets/*", "is gone or damaged"),
        ("models/*/MANIFEST.json", "its manifest is gone"),
        ("models/*/model/model.safetensors", "is gone or damaged"),
    ],
)
def test_what_cannot_be_compared_is_named_and_binds_only_by_a_limit(bot: Bot, lost: str, words: str) -> None:
    a_source(bot.folder, posts=260)
    bot.erase(lost)
    result = bot.run(BAD)
    assert result.gate_advisory is not None
    assert words in result.gate_advisory
    assert bot.served == result.model.uri.split("/")[-2]


def test_a_damaged_champion_keeps_a_model_with_a_limit_back_until_the_limit_goes(bot: Bot) -> None:
    (weights,) = (bot.folder / "bucket").glob("**/models/*/model/model.safetensors")
    weights.write_bytes(b"\0" * weights.stat().st_size)
    with pytest.raises(GateFailed, match=r"its model at .* is gone or damaged") as failed:
        bot.run(BAD, {"maxRegressionPercent": 5})
    assert str(failed.value.reason) == "GateNotMeasurable"
    assert bot.run(BAD).gate_advisory is not None


def test_a_model_of_the_same_quality_passes(bot: Bot) -> None:
    result = bot.run({**GOOD, "seed": 43})
    assert bot.served == result.model.uri.split("/")[-2]
