"""Start the tracking that a spec asks for."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.registry.run_record import get_run_folder
from tweetbot_trainer.publishing.tracking.background import BackgroundTracker
from tweetbot_trainer.publishing.tracking.interface import NullTracker, Tracker
from tweetbot_trainer.publishing.tracking.mode import Probe, check_api_key, choose_mode
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig, WandbRun, set_client_folders
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, join


class TrackerStarter:
    """Starts a stage's tracker. With mode Disabled the client is not even imported."""

    def __init__(
        self,
        run: RunDocument,
        run_config: RunConfig,
        *,
        store: ObjectStore,
        secrets: Path,
        log: Log,
        probe: Probe = check_api_key,
        note_degraded: Callable[[str], None] = lambda message: None,
    ) -> None:
        """`note_degraded` is told why less is tracked than the spec asks for, as soon as that is known."""
        self._run, self._run_config, self._store = run, run_config, store
        self._secrets, self._log, self._probe, self._note_degraded = secrets, log, probe, note_degraded

    def __call__(self, config: Mapping[str, Any]) -> Tracker:
        """Return a tracker with this configuration. It starts in the background."""
        run, folder = self._run, self._run_config.folder
        if run.spec.tracking.wandb.mode == "Disabled":
            return NullTracker()
        set_client_folders(folder)
        with suppress(Exception):  # the background thread meets the same fault and reports it
            import wandb  # noqa: F401  # on this thread: two that load large packages may wait for each other

            if self._run_config.report:
                import wandb_workspaces.reports.v2  # noqa: F401

        def upload() -> str | None:
            return upload_files(self._store, run, folder, self._log)

        return BackgroundTracker(
            self._run_config, lambda: self._start_run(config), upload, self._log, self._note_degraded
        )

    def _start_run(self, config: Mapping[str, Any]) -> WandbRun:
        import wandb

        spec = self._run.spec.tracking.wandb
        base_url = spec.base_url or os.environ.get("WANDB_BASE_URL") or str(wandb.Settings().base_url)
        decision = choose_mode(spec, self._secrets, base_url, probe=self._probe)
        return WandbRun(self._run_config, decision, config, base_url)


def upload_files(store: ObjectStore, run: RunDocument, folder: Path, log: Log) -> str | None:
    """Upload every file below the folder. Return why it could not; the metrics are in the report as well."""
    target = join(get_run_folder(run), "wandb", run.stage.lower())
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    try:
        for path in files:
            store.put(join(target, path.relative_to(folder).as_posix()), path)
    except (StageError, OSError) as error:
        log.warning("tracking.not_uploaded", message=str(error))
        return f"the run's files could not be stored, so it cannot be synced later: {error}"
    return None
