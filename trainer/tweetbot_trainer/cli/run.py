"""`tweetbot-trainer run`: both stages of a manifest, without a cluster."""

import os
from dataclasses import dataclass, field
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
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.settings import RETRY_SECONDS, Settings

#: Bytes; a manifest has a page or two.
MANIFEST_LIMIT = 1024 * 1024


def run_here(manifest: Path, work: Path, secrets: Path | None, stop: StopRequest) -> int:
    """Prepare and train as a manifest says, and print a summary.

    Raises SpecRefused with the field's path if the manifest breaks a rule, and as the stages do.
    """
    run = LocalRun(read_manifest(manifest), work, secrets=secrets, stop=stop)
    if run.bot.spec.pin:
        message = "spec.pin has no effect without a cluster: latest.json will name the model of this run"
        run.log.warning("run.not_pinned", message=message)
    prepared = run.prepare()
    print(format_summary(prepared, run.train(prepared)))
    return 0


@dataclass(frozen=True, slots=True)
class LocalRun:
    """Both stages of a TweetBot on this machine, as `tweetbot-trainer run` and the notebook take them.

    `work` is a folder for intermediate files; `secrets`, by default in it, has the credentials that the run needs.
    """

    bot: TweetBot
    work: Path
    secrets: Path | None = None
    stop: StopRequest = field(default_factory=StopRequest)
    log: Log = field(default_factory=ConsoleLog)

    def prepare(self) -> PrepareSucceeded:
        """Read and clean the posts, and store the dataset. Raises StageError."""
        self.work.mkdir(parents=True, exist_ok=True)
        result = dispatch_stage("Prepare", self.build_context_here("Prepare"))
        assert isinstance(result, PrepareSucceeded)
        return result

    def train(self, prepared: PrepareSucceeded) -> TrainSucceeded:
        """Train on what was prepared, unless a model of it is published; return the model. Raises StageError."""
        if prepared.adopted:
            return prepared.adopted
        result = dispatch_stage("Train", self.build_context_here("Train", dataset=prepared.dataset.digest))
        assert isinstance(result, TrainSucceeded)
        return result

    def build_context_here(self, stage: Stage, *, dataset: str | None = None) -> StageContext:
        """Connect a stage of this run to its storage."""
        bot = self.bot
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
        secrets = self.secrets or self.work / "secrets"
        settings = Settings(run, secrets, self.work, RETRY_SECONDS[stage], mounted_base=mounted_base)
        return build_context(settings, self.stop, self.log, files=True)


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
