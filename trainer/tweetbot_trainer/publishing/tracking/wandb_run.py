"""One run of the Weights & Biases client. Any call may block or fail, which `background` copes with."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrackingResult
from tweetbot_contract.status import Stage
from tweetbot_trainer.publishing.tracking.figures import rename_figures
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.publishing.tracking.mode import Decision
from tweetbot_trainer.publishing.tracking.wandb_report import ReportPlace, connect, ensure_report

#: Longest address or text of a tweetbot_contract.result.TrackingResult, in characters.
LONGEST_TEXT = 512


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A stage of a run of the TweetBot `namespace`/`bot`, and where its run at W&B belongs."""

    namespace: str
    bot: str
    uid: str
    run_id: str
    stage: Stage
    handle: str
    project: str
    entity: str | None = None

    @classmethod
    def from_document(cls, run: RunDocument) -> Self:
        """Return the run of a stage's run document."""
        wandb, stage = run.spec.tracking.wandb, run.stage
        assert stage in ("Prepare", "Train")
        handle = run.spec.subject.handle
        return cls(run.namespace, run.name, run.uid, run.run_id, stage, handle, wandb.project, wandb.entity)

    @property
    def job_type(self) -> str:
        """The stage as W&B shows it."""
        return self.stage.lower()

    @property
    def id(self) -> str:
        """The run's id. A retried Pod finds it again; with the start of the uid no other TweetBot can have it."""
        return f"{self.bot}-{self.run_id}-{self.uid[:8]}-{self.job_type}"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """A run, the folder of the client's files, and how many seconds the run may take to start and to end.

    The client's defaults are 90 seconds for a start and no limit for an end. `finish_slack` is for what the client does
    before it applies the limit. `proxy` is the address by which the client, which is another process, connects. With
    `replay`, rows that the server has from before are not sent again. With `report`, the bot has a report, too.
    """

    run: TrackedRun
    folder: Path
    init_timeout: float = 20.0
    finish_timeout: float = 30.0
    finish_slack: float = 10.0
    proxy: str | None = None
    replay: bool = False
    report: bool = False

    @classmethod
    def from_run(cls, run: RunDocument, work: Path) -> Self:
        """Return the configuration of a stage's run in a work folder."""
        folder, report = work / "wandb" / run.stage.lower(), run.spec.tracking.wandb.report
        return cls(TrackedRun.from_document(run), folder, report=report)


class WandbRun:
    """A started run."""

    def __init__(self, run_config: RunConfig, decision: Decision, config: Mapping[str, Any], base_url: str) -> None:
        import wandb

        run = run_config.run
        self._wandb, self._decision, self._run_config, self._base_url = wandb, decision, run_config, base_url
        self._run = wandb.init(
            project=run.project,
            entity=run.entity,
            id=run.id,
            name=f"@{run.handle}-{run.job_type}",
            group=f"{run.bot}/{run.run_id}",
            job_type=run.job_type,
            resume="allow",
            config={"bot": f"{run.namespace}/{run.bot}", **config},
            dir=str(run_config.folder),
            mode="online" if decision.mode == "Online" else "offline",
            settings=_build_settings(wandb, run_config, decision, base_url),
        )
        self._run.define_metric("*", step_metric="step")  # a retried stage counts its steps from 0 again
        #: Rows that the server has from before; a run that is resumed begins after them.
        self.known_entries = self._run.starting_step
        self._skipped = self.known_entries if run_config.replay else 0

    @property
    def result(self) -> TrackingResult:
        """How the run is tracked so far. An address that is too long is left out: half of one leads nowhere."""
        url, degraded = self._run.url if self._decision.mode == "Online" else None, self._decision.degraded
        return TrackingResult(
            wandb_mode=self._decision.mode,
            wandb_url=url if url and len(url) <= LONGEST_TEXT else None,
            degraded=degraded[:LONGEST_TEXT] if degraded else None,
        )

    def ensure_report(self) -> str:
        """Return the address of the bot's report, which is made if there is none. Raises whatever the client does."""
        run, api_key = self._run_config.run, self._decision.api_key or ""
        bot, project_url = f"{run.namespace}/{run.bot}", str(self._run.url).partition("/runs/")[0]
        place = ReportPlace(bot, run.handle, str(self._run.entity), run.project, project_url)
        url = ensure_report(connect(self._base_url, place.entity, api_key, self._run_config.proxy), place)
        if len(url) > LONGEST_TEXT:
            raise ValueError(f"its address has more than {LONGEST_TEXT} characters")
        return url

    def log(self, metrics: Mapping[str, Any]) -> None:
        """Add metrics to the run's history."""
        if self._skipped:
            self._skipped -= 1
            return
        self._run.log(rename_figures(metrics))

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Update the run's summary."""
        self._run.summary.update(rename_figures(figures))

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Log the data as a wandb.Table, which is a row of the history."""
        self.log({name: self._wandb.Table(columns=list(columns), data=[list(cells) for cells in data])})

    def log_artifact(self, tracked: TrackedArtifact) -> None:
        """Log an artifact by reference.

        Offline, the client knows outputs only. Raw data is logged as one, since no earlier run made it; datasets and
        bases are left out, so that this run does not pass for their maker.
        """
        online = self._decision.mode == "Online"
        if not online and tracked.direction == "input" and tracked.type != "raw-dataset":
            return
        artifact = self._wandb.Artifact(tracked.name, type=tracked.type, metadata=rename_figures(tracked.metadata))
        artifact.add_reference(tracked.uri, name=tracked.uri.rstrip("/").rpartition("/")[2], checksum=False)
        aliases = [tracked.alias] if tracked.alias else None
        if tracked.direction == "input" and online:
            self._run.use_artifact(artifact, aliases=aliases)
        else:
            self._run.log_artifact(artifact, aliases=aliases)

    def finish(self, *, failed: bool) -> None:
        """End the run. Raises if the server has not taken the rest of it within `finish_timeout` seconds."""
        self._run.finish(exit_code=1 if failed else 0)


def _build_settings(wandb: Any, run_config: RunConfig, decision: Decision, base_url: str) -> Any:
    """Send nothing about machine, code or command line, and pass the key to the client in memory only."""
    return wandb.Settings(
        api_key=decision.api_key,
        base_url=base_url,
        console="off",
        disable_git=True,
        finish_timeout=run_config.finish_timeout,
        finish_timeout_raises=True,
        http_proxy=run_config.proxy,
        https_proxy=run_config.proxy,
        init_timeout=run_config.init_timeout,
        program="tweetbot-trainer",
        save_code=False,
        silent=True,
        x_disable_machine_info=True,
        x_disable_stats=True,
        x_graphql_retry_max=2,
        x_graphql_retry_wait_max_seconds=2,
        x_graphql_timeout_seconds=8,
        x_save_requirements=False,
    )


def set_client_folders(folder: Path) -> None:
    """Set what the client reads from the environment only, when it is imported. Artifacts wait in WANDB_DATA_DIR."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["WANDB_DATA_DIR"] = str(folder / "data")
    os.environ["WANDB_CACHE_DIR"] = str(folder.parent / "wandb-cache")
    os.environ["WANDB_CONFIG_DIR"] = str(folder.parent / "wandb-config")
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    os.environ["WANDB_SILENT"] = "true"
