"""The dangerous modules, and the tests that must notice each fault in them: the most dangerous first."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "tests" / "unit"
HOMES = {"tweetbot_operator": "operator", "tweetbot_trainer": "trainer", "tweetbot_contract": "crds"}

_RECONCILER = ("test_status_writer", "test_runs", "test_reconciler", "test_admission", "test_quiet_statuses")
_REGISTRY = ("test_publish", "test_two_writers", "test_retention")
_DECISIONS = (
    "test_failures",
    "test_retries",
    "test_edits",
    "test_deletion",
    "test_plan",
    "test_any_order",
    "test_status",
    "test_prefix_owners",
    "test_restored",
    "test_conditions",
    "test_queues",
    "test_usage",
    "pods/test_other_containers",
)


@dataclass(frozen=True)
class Target:
    """A module, and the files of its tests."""

    module: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The module's source."""
        return ROOT / HOMES[self.module.split(".")[0]] / (self.module.replace(".", "/") + ".py")

    @property
    def test_files(self) -> list[Path]:
        """Each file of tests, or all in a folder."""
        return [path for name in self.tests for path in _list_tests(UNIT / name)]


def _list_tests(path: Path) -> list[Path]:
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _operator(module: str, folder: str, *tests: str) -> Target:
    return Target(f"tweetbot_operator.{module}", tuple(f"tweetbot_operator/{folder}/{test}" for test in tests))


def _trainer(module: str, *tests: str) -> Target:
    return Target(f"tweetbot_trainer.{module}", tuple(f"tweetbot_trainer/{test}" for test in tests))


def _registry(module: str, *more: str) -> Target:
    return _trainer(f"publishing.registry.{module}", *(f"publishing/registry/{test}" for test in _REGISTRY), *more)


_STORE = ("store/test_store", "store/test_ranges", "store/test_answers")

TARGETS = (
    Target(
        "tweetbot_operator.reconciler.status_writer",
        (
            *(f"tweetbot_operator/reconciler/{test}" for test in _RECONCILER),
            "tweetbot_operator/telemetry/test_run_metrics",
        ),
    ),
    _registry(
        "latest",
        "publishing/registry/test_latest",
        "publishing/registry/test_pinning",
        "publishing/registry/test_hash_removal",
        "publishing/registry/test_ownership",
    ),
    _registry("publish", "publishing/registry/test_lookup"),
    _registry("lookup", "publishing/registry/test_lookup"),
    _operator("decisions.deletion", "decisions", "test_deletion", "test_prefix_owners", "test_queues"),
    _trainer("runtime.egress", "runtime/test_egress", "runtime/test_connections"),
    _trainer("cli.cleanup", "cli/test_cleanup", "cli/test_two_clusters", "runtime/test_connections"),
    _trainer("store.ranged", "store/test_ranges", "store/test_store"),
    _trainer("store.address", "store/test_address", "store/test_store"),
    _trainer("learning.fingerprint", "learning/test_values"),
    Target("tweetbot_contract.identity", ("tweetbot_contract/test_identity",)),
    _operator("decisions.failures", "decisions", "test_failures", "test_retries", "pods", "test_status"),
    _trainer("runtime.termination", "runtime/test_termination", "cli/test_stage"),
    _trainer("learning.checkpoints.files", "learning/checkpoints"),
    _trainer("learning.checkpoints.manager", "learning/checkpoints"),
    _trainer("learning.checkpoints.naming", "learning/checkpoints"),
    _operator("reconciler.limits", "reconciler", "test_limits", "test_fairness", "test_creations"),
    _operator("progress.client", "progress", "test_client", "test_poller"),
    _operator("progress.poller", "progress", "test_poller", "test_client"),
    _operator("progress.store", "progress", "test_store", "test_poller"),
    _operator("client.lease", "client", "test_lease", "test_leader_election"),
    _operator("client.leader_election", "client", "test_leader_election", "test_lease"),
    _registry("retention", "publishing/registry/test_ownership"),
    _trainer("publishing.registry.ownership", "publishing/registry/test_ownership"),
    _trainer("publishing.forgetting.contents", "cli/test_forget", "publishing/forgetting/test_erasure"),
    _trainer("publishing.forgetting.plan", "cli/test_forget", "publishing/forgetting/test_erasure"),
    _trainer("publishing.forgetting.erasure", "publishing/forgetting/test_erasure"),
    _trainer("runtime.retry_budget", "runtime/test_retry_budget", "store/test_store"),
    _trainer("store.file_records", "store/test_store", "cli/test_verify", "publishing/registry/test_publish"),
    _trainer("store.errors", *_STORE, "stages/test_storage_probe"),
    _trainer("store.multipart", *_STORE, "stages/test_storage_probe"),
    _trainer("data.dataset.copies", "data/dataset/test_copies", "data/dataset/test_copy_hashes", "stages/test_readout"),
    _trainer("learning.evaluation.memorization", "learning/evaluation/test_memorization", "stages/test_readout"),
    _operator("decisions.actions", "decisions", *_DECISIONS),
    _operator("decisions.run", "decisions", *_DECISIONS),
)
