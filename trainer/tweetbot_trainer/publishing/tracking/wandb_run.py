"""One run in Weights & Biases, through its client. Everything here may block or fail; `background` bears that."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrackingResult
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.publishing.tracking.mode import Decision

#: Characters of an address or a text in a result (tweetbot_contract.result.TrackingResult).
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What the run is called, where the client keeps its files, and how many seconds it may take to start and to end.

    The client's own limits are 90 for a start, and for ever for an end; `finish_slack` is for all it does before.
    """

    run: RunDocument
    folder: Path
    init_timeout: float = 20.0
    finish_timeout: float = 30.0
    finish_slack: float = 10.0

    @classmethod
    def from_run(cls, run: RunDocument, work: Path) -> Self:
        """Return the place of a stage's run in a work folder."""
        return cls(run, work / "wandb" / run.stage.lower())

    @property
    def id(self) -> str:
        """Return an id that a retried Pod finds again and no other bot can have: the uid's first part is in it."""
        run = self.run
        return f"{run.name}-{run.run_id}-{run.uid[:8]}-{run.stage.lower()}"


class WandbRun:
    """A started run."""

    def __init__(self, run_config: RunConfig, decision: Decision, config: Mapping[str, Any], base_url: str) -> None:
        import wandb

        wandb_spec = run_config.run.spec.tracking.wandb
        stage = run_config.run.stage.lower()
        self._wandb, self._decision = wandb, decision
        self._run = wandb.init(
            project=wandb_spec.project,
            entity=wandb_spec.entity,
            id=run_config.id,
            name=f"@{run_config.run.spec.subject.handle}-{stage}",
            group=f"{run_config.run.name}/{run_config.run.run_id}",
            job_type=stage,
            resume="allow",
            config=dict(config),
            dir=str(run_config.folder),
            mode="online" if decision.mode == "Online" else "offline",
            settings=_build_settings(wandb, run_config, decision, base_url),
        )
        self._run.define_metric("*", step_metric="step")  # a retried stage counts its steps from 0 again

    @property
    def result(self) -> TrackingResult:
        """Return how the run is tracked so far, without an address that is too long: half of one leads nowhere."""
        url, degraded = self._run.url if self._decision.mode == "Online" else None, self._decision.degraded
        return TrackingResult(
            wandb_mode=self._decision.mode,
            wandb_url=url if url and len(url) <= _LONGEST else None,
            degraded=degraded[:_LONGEST] if degraded else None,
        )

    def log(self, metrics: Mapping[str, float]) -> None:
        """Add a row to the history."""
        self._run.log(dict(metrics))

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Set final figures."""
        self._run.summary.update(dict(figures))

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Add a table."""
        self._run.log({name: self._wandb.Table(columns=list(columns), data=[list(cells) for cells in data])})

    def log_artifact(self, tracked: TrackedArtifact) -> None:
        """Add an artifact by reference. Offline the client knows outputs only, and no run may pass for another's maker.

        So raw data is an output there: nobody before us has it. Datasets and bases of others are left out.
        """
        online = self._decision.mode == "Online"
        if not online and tracked.direction == "input" and tracked.type != "raw-dataset":
            return
        artifact = self._wandb.Artifact(tracked.name, type=tracked.type, metadata=dict(tracked.metadata))
        artifact.add_reference(tracked.uri, name=tracked.uri.rstrip("/").rpartition("/")[2], checksum=False)
        if tracked.direction == "input" and online:
            self._run.use_artifact(artifact)
        else:
            self._run.log_artifact(artifact)

    def finish(self, *, failed: bool) -> None:
        """End the run. Raises when the server did not take the rest of it in `finish_timeout` seconds."""
        self._run.finish(exit_code=1 if failed else 0)


def _build_settings(wandb: Any, run_config: RunConfig, decision: Decision, base_url: str) -> Any:
    """Quiet settings: no machine's data, no code, no command line; the key reaches the client in memory only."""
    return wandb.Settings(
        api_key=decision.api_key,
        base_url=base_url,
        console="off",
        disable_git=True,
        finish_timeout=run_config.finish_timeout,
        finish_timeout_raises=True,
        init_timeout=run_config.init_timeout,
        program="tweetbot-trainer",
        save_code=False,
        silent=True,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_graphql_retry_max=2,
        x_graphql_retry_wait_max_seconds=2,
        x_graphql_timeout_seconds=8,
        x_save_requirements=False,
    )


def keep_files_in(folder: Path) -> None:
    """Set what the client reads from the environment alone when it is imported; artifacts wait in WANDB_DATA_DIR."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["WANDB_DATA_DIR"] = str(folder / "data")
    os.environ["WANDB_CACHE_DIR"] = str(folder.parent / "wandb-cache")
    os.environ["WANDB_CONFIG_DIR"] = str(folder.parent / "wandb-config")
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    os.environ["WANDB_SILENT"] = "true"
