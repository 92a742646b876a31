"""`tweetbot-trainer run`: both stages of a manifest, without a cluster."""

import os
from pathlib import Path
from typing import Any

import yaml

from tweetbot_contract import reasons
from tweetbot_contract.handover import BASE_DIR, BASE_DIR_ENV, RunDocument
from tweetbot_contract.identity import compute_run_id
from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import Stage
from tweetbot_trainer.cli.console import ConsoleLog, format_summary
from tweetbot_trainer.cli.stage import build_context, dispatch_stage
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.settings import RETRY_SECONDS, Settings

#: Bytes; a manifest has a page or two.
MANIFEST_LIMIT = 1024 * 1024


def run_here(manifest: Path, work: Path, secrets: Path, stop: StopRequest) -> int:
    """Prepare and train as a manifest says, and print a summary.

    Raises SpecRefused with the field's path if the manifest breaks a rule, and as the stages do.
    """
    bot = read_manifest(manifest)
    if bot.spec.pin:
        message = "spec.pin has no effect without a cluster: latest.json will name the model of this run"
        ConsoleLog().warning("run.not_pinned", message=message)
    work.mkdir(parents=True, exist_ok=True)
    prepared = dispatch_stage("Prepare", _build_context(bot, "Prepare", work, secrets, stop))
    assert isinstance(prepared, PrepareSucceeded)
    trained = prepared.adopted
    if trained is None:
        found = dispatch_stage(
            "Train", _build_context(bot, "Train", work, secrets, stop, dataset=prepared.dataset.digest)
        )
        assert isinstance(found, TrainSucceeded)
        trained = found
    print(format_summary(prepared, trained))
    return 0


def read_manifest(path: Path) -> TweetBot:
    """Read a TweetBot from a YAML file. Raises SpecRefused."""
    try:
        content: Any = yaml.safe_load(path.read_bytes()[:MANIFEST_LIMIT])
    except OSError as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise SpecRefused(reasons.SPEC_REFUSED, f"{path} holds no manifest: write one TweetBot")
    try:
        return parse(content)
    except InvalidManifest as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{path}: {error}") from error


def _build_context(
    bot: TweetBot, stage: Stage, work: Path, secrets: Path, stop: StopRequest, *, dataset: str | None = None
) -> StageContext:
    run = RunDocument(
        stage=stage,
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid or "local",
        take_over=bot.take_over,
        run_id=compute_run_id(bot.spec, bot.retrain_trigger),
        run_number=1,
        trigger=bot.retrain_trigger,
        dataset=dataset,
        spec=bot.spec,
    )
    mounted_base = Path(os.environ.get(BASE_DIR_ENV, BASE_DIR))
    settings = Settings(run, secrets, work, RETRY_SECONDS[stage], mounted_base=mounted_base)
    return build_context(settings, stop, ConsoleLog(), files=True)
