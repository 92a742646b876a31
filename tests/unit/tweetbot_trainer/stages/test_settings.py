"""A stage finds its way in a Pod whose root is read-only and whose user has neither a name nor a home."""

from pathlib import Path

import pytest

from builders.stages import a_local_run
from tweetbot_contract import handover
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.stages.settings import RETRY_SECONDS, keep_caches_below, read_settings


def test_a_gpu_is_held_for_less_time_than_a_cpu() -> None:
    assert (RETRY_SECONDS["Prepare"], RETRY_SECONDS["Train"]) == (1800, 600)


def test_what_the_operator_says_is_taken_from_the_environment(tmp_path: Path) -> None:
    run = a_local_run(tmp_path)
    env = {handover.RUN_ENV: run.encode(), handover.WORK_DIR_ENV: "/elsewhere"}
    settings = read_settings(env, "Prepare")
    assert (settings.run, settings.work, settings.secrets) == (run, Path("/elsewhere"), Path(handover.SECRETS_DIR))


def test_a_training_without_a_dataset_is_refused(tmp_path: Path) -> None:
    env = {handover.RUN_ENV: a_local_run(tmp_path, stage="Train").encode()}
    with pytest.raises(SpecRefused, match="names no dataset"):
        read_settings(env, "Train")


def test_every_cache_lies_below_the_work_folder(tmp_path: Path) -> None:
    env: dict[str, str] = {}
    keep_caches_below(tmp_path, env)
    assert env.pop("USER") == "trainer"
    assert [name for name, place in env.items() if not Path(place).is_relative_to(tmp_path)] == []
    assert [name for name, place in env.items() if not Path(place).is_dir()] == []


def test_a_home_that_cannot_be_used_is_replaced(tmp_path: Path) -> None:
    env = {"HOME": "/proc/nowhere"}
    keep_caches_below(tmp_path, env)
    assert env["HOME"] == str(tmp_path / "home")
