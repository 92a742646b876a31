"""`tweetbot-trainer sync`: send the run that trained a version to Weights & Biases, after the fact."""

import argparse
import os
import tempfile
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.result import TrackingResult
from tweetbot_contract.status import Stage
from tweetbot_trainer.cli.console import ConsoleLog
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, read_latest
from tweetbot_trainer.publishing.registry.lineage import find_version
from tweetbot_trainer.publishing.registry.manifest import StoredVersion, parse_version
from tweetbot_trainer.publishing.tracking.background import BackgroundTracker
from tweetbot_trainer.publishing.tracking.mode import Decision, check_api_key, describe_refusal
from tweetbot_trainer.publishing.tracking.replay import StoredRun, load_run
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig, TrackedRun, WandbRun, set_client_folders
from tweetbot_trainer.runtime.egress import check_endpoint, guard_connections, parse_networks
from tweetbot_trainer.runtime.egress_proxy import serve_egress_proxy
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.store import ObjectStore, join

KEY_ENV, SERVER_ENV = "WANDB_API_KEY", "WANDB_BASE_URL"
#: Seconds for the start and the end of a run: somebody is watching, and there is more to send at once.
START_LIMIT, END_LIMIT = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send a run: a W&B server, an entity of it (by default that of the key), a project, and the key.

    `report` is whether the TweetBot is to have a report there.
    """

    base_url: str
    project: str
    entity: str | None
    api_key: str
    report: bool = False


def run_sync(store: ObjectStore, arguments: argparse.Namespace) -> int:
    """Send both stages of a version's run, and tell how far it is.

    Raises SpecRefused if there is no such version, or it has no metrics; NotAuthorized if the server refuses the key or
    the project; TemporaryError if the server does not answer.
    """
    version = find_version(store, arguments.model)
    stored = load_run(store, version, with_posts=arguments.log_text)
    for what in stored.missing:
        print(f"not known any more: {what}")
    allowed = parse_networks(os.environ)
    target = _build_target(arguments, os.environ)
    if arguments.base_url:
        advice = f"name the server in {SERVER_ENV}, or its network in TWEETBOT_ALLOWED_NETWORKS"
        check_endpoint("--base-url", arguments.base_url, allowed, advice=advice)
    with (
        guard_connections(allowed, os.environ),
        serve_egress_proxy(os.environ, ConsoleLog()) as proxy,
        tempfile.TemporaryDirectory(prefix="tweetbot-sync-", ignore_cleanup_errors=True) as folder,
    ):
        _require_key(target)
        for stage in ("Prepare", "Train"):
            result = _send_stage(stored, stage, target, Path(folder), proxy)
    print(f"{version.home} is at {result.wandb_url}")
    if result.report_url:
        print(f"the report is at {result.report_url}")
    _warn_of_latest(store, version, stored)
    return 0


def _build_target(arguments: argparse.Namespace, env: MutableMapping[str, str]) -> Target:
    """Return where to send the run. The key leaves the environment, so that no child process inherits it."""
    api_key = env.pop(KEY_ENV, "").strip()
    if not api_key:
        raise NotAuthorized(reasons.NOT_AUTHORIZED, f"there is no API key: set {KEY_ENV}")
    import wandb

    base_url = arguments.base_url or env.get(SERVER_ENV) or str(wandb.Settings().base_url)
    return Target(base_url.rstrip("/"), arguments.project, arguments.entity, api_key, arguments.report)


def _require_key(target: Target) -> None:
    fault = check_api_key(target.base_url, target.api_key)
    if fault == describe_refusal(target.base_url):
        raise NotAuthorized(reasons.NOT_AUTHORIZED, f"{target.base_url} refuses the API key in {KEY_ENV}")
    if fault:
        raise TemporaryError(reasons.TRACKING_DEGRADED, fault)


def _send_stage(stored: StoredRun, stage: Stage, target: Target, folder: Path, proxy: str | None) -> TrackingResult:
    """Send one stage's run, without the rows that the server has. Raises NotAuthorized and TemporaryError."""
    manifest = stored.version.manifest
    run = TrackedRun(
        stored.namespace,
        stored.bot,
        manifest.bot_uid,
        manifest.run_id,
        stage,
        stored.handle,
        target.project,
        target.entity,
    )
    set_client_folders(folder / run.job_type)
    limits = {"init_timeout": START_LIMIT, "finish_timeout": END_LIMIT, "finish_slack": 30.0}
    report = target.report and stage == "Train"
    config = RunConfig(run, folder / run.job_type, proxy=proxy, replay=True, report=report, **limits)

    def start() -> WandbRun:
        started = WandbRun(
            config, Decision("Online", api_key=target.api_key), stored.build_config(stage), target.base_url
        )
        total = stored.count_entries(stage)
        print(
            f"{run.id}: {max(total - started.known_entries, 0)} of {total} rows to send, and the artifacts", flush=True
        )
        return started

    tracker = BackgroundTracker(config, start, lambda: None, ConsoleLog())
    if tracker.get_current_result().wandb_mode == "Offline":
        fault = tracker.finish().degraded or f"no answer within {START_LIMIT:.0f} seconds"
        raise _explain_start(target, fault)
    stored.replay(stage, tracker)
    result = tracker.finish(failed=stored.rejected and stage == "Train")
    if result.degraded:
        raise TemporaryError(reasons.TRACKING_DEGRADED, f"{result.degraded}; start sync again, it goes on from there")
    return result


def _explain_start(target: Target, fault: str) -> StageError:
    """Return why a run did not start although the server knows the key. For a refusal the client says CommError."""
    if "timed out" in fault or fault.startswith("no answer"):
        return TemporaryError(reasons.TRACKING_DEGRADED, f"{target.base_url}: {fault}; start sync again")
    if "CommError" not in fault:
        return SpecRefused(reasons.SPEC_REFUSED, f"{target.base_url}, project {target.project}: {fault}")
    owner = target.entity or "the key's own entity"
    message = f"{target.base_url} did not take a run for project {target.project} of {owner} ({fault})"
    advice = "check --project and --entity, and that the key's user may write there"
    return NotAuthorized(reasons.NOT_AUTHORIZED, f"{message}: {advice}")


def _warn_of_latest(store: ObjectStore, version: StoredVersion, stored: StoredRun) -> None:
    """Say so if the alias `latest` at W&B now names a version that is not served: the client always sets it."""
    served = read_latest(store, join(version.home.rsplit("/", 2)[0], LATEST_FILE)).get("uri")
    if stored.rejected or not isinstance(served, str) or parse_version(served) == version.manifest.version:
        return
    print(f"the alias latest at W&B may name this version now: sync {served}, which is served, to set it back")
