"""One operator, its cluster in memory, and the rest of the world: users, Job controller, kubelet, garbage collector."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any, cast

from builders.manifests import a_manifest
from builders.operator import NOON, SETTINGS, a_pin_result, a_prepare_result, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import RUN_ENV, RunDocument
from tweetbot_contract.result import StageFailed, encode
from tweetbot_contract.result.erasure import ErasedCounts, ForgetSucceeded
from tweetbot_faults.evidence import Evidence, Manifest
from tweetbot_faults.memory.faulty_cluster import FaultyCluster, Killed, WriteFault, a_running_pod
from tweetbot_faults.memory.watch import FaultyWatch, WatchFault
from tweetbot_operator.client.errors import ApiError
from tweetbot_operator.informers.cache import EventHandler
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.reconciler.reconciler import Result as PassResult
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Key

#: Seconds that pass after each thing that happens, and in one look of the resync.
STEP, STEPS = 50.0, 6
#: Rounds in which operator and controllers answer each other before something loops.
_ROUNDS = 60
Result = Any


class World(Stage):
    """A Stage whose rest of the world plays itself, with at most one fault at a write and one in the watch."""

    def __init__(
        self,
        fault: WriteFault | None = None,
        watch: WatchFault | None = None,
        *,
        settings: OperatorSettings = SETTINGS,
    ) -> None:
        self.watch, self._given = FaultyWatch(watch), fault
        self.restarts, self._pods = 0, 0
        self._compared: tuple[Resync, int, int] | None = None
        self.evidence = Evidence()
        self.unmanaged: set[str] = set()
        """Names of Jobs that no controller works on."""
        self.between: Callable[[], None] = lambda: None
        """Called after each step of the operator, as by a user who is at work beside it."""
        super().__init__(settings)

    def start_operator(self) -> None:
        """Start an operator that knows nothing but what the cluster holds, behind the faulty watch."""
        if not isinstance(self.cluster, FaultyCluster):
            self.cluster = FaultyCluster(self.now, fault=self._given)
        self.cluster.event_handler = None
        super().start_operator()
        self._attribute_passes()
        self.watch.attach(self.event_handler)
        self.cluster.event_handler = cast(EventHandler, self.watch)
        self.resync = Resync(self.cluster, self.event_handler, clock=self._clock, sleep=self._nap)

    def _attribute_passes(self) -> None:
        """Have each write bear the namespace of the TweetBot whose pass made it."""
        reconcile = self.reconciler.reconcile

        async def reconcile_and_say_so(key: Key) -> PassResult:
            self.faulty.cause = key[0]
            return await reconcile(key)

        self.reconciler.reconcile = reconcile_and_say_so  # type: ignore[method-assign]

    @property
    def faulty(self) -> FaultyCluster:
        """The cluster, as what it is here."""
        assert isinstance(self.cluster, FaultyCluster)
        return self.cluster

    def _clock(self) -> float:
        return (self.time - NOON).total_seconds()

    async def _nap(self, seconds: float) -> None:
        """The resync's own pause passes at once."""

    # ---- the operator

    async def work(self) -> None:
        """Let the operator do what is due; one that is killed is started again, as by a kubelet."""
        self.faulty.actor = "operator"
        try:
            await self.settle()
            self.between()
        except Killed:
            self.restarts += 1
            self.start_operator()
        finally:
            self.faulty.actor = "world"

    async def look(self) -> None:
        """Let the operator compare what it knows with what the cluster lists, unless both are as when they agreed."""
        now = self.resync, len(self.faulty.changes), self.watch.arrived
        if now == self._compared:
            return
        try:
            if await self.resync.compare() == 0:
                self._compared = now
        except ApiError:
            return

    async def rest(self, seconds: float = STEP * STEPS) -> None:
        """Let time pass until nothing is left to do for this long."""
        passed = 0.0
        while passed < seconds:
            await self._exhaust()
            self.time += timedelta(seconds=STEP)
            passed += STEP
            self.watch.flush()
            await self.look()
        await self._exhaust()

    async def _exhaust(self) -> None:
        for _ in range(_ROUNDS):
            before = len(self.faulty.changes), self.restarts
            await self.work()
            self._control()
            if (len(self.faulty.changes), self.restarts) == before:
                return
        self.evidence.reached = False

    # ---- the controllers

    def _control(self) -> None:
        """Do what Job controller, kubelet and garbage collector do: Pods come, what is being deleted goes."""
        for bot in list(self._all("tweetbots")):
            if "deletionTimestamp" in bot["metadata"] and not bot["metadata"].get("finalizers"):
                self.cluster.remove("tweetbots", bot["metadata"]["namespace"], bot["metadata"]["name"])
        for job in list(self._all("jobs")):
            metadata = job["metadata"]
            if metadata["name"] in self.unmanaged:
                continue
            if "deletionTimestamp" in metadata or self._is_orphan(job):
                self._remove_job(job)
            elif not (job.get("status") or {}).get("conditions") and not self._pods_of(job):
                self._pods += 1
                self.cluster.put("pods", a_running_pod(job, self._pods, self.cluster._stamp()))

    def _is_orphan(self, job: Manifest) -> bool:
        owners = [owner["uid"] for owner in job["metadata"].get("ownerReferences") or ()]
        alive = {bot["metadata"]["uid"] for bot in self._all("tweetbots")}
        return bool(owners) and not alive & set(owners)

    def _remove_job(self, job: Manifest) -> None:
        for pod in self._pods_of(job):
            self.cluster.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.cluster.remove("jobs", job["metadata"]["namespace"], job["metadata"]["name"])

    def _pods_of(self, job: Manifest) -> list[Manifest]:
        uid = job["metadata"]["uid"]
        return [pod for pod in self._all("pods") if pod["metadata"]["ownerReferences"][0]["uid"] == uid]

    def _all(self, kind: str) -> list[Manifest]:
        return [item for (of, _, _), item in self.cluster.objects.items() if of == kind]

    def active_job(self, namespace: str = NAMESPACE, suffix: str = "") -> Manifest | None:
        """Return the Job that works now, whose name ends so."""
        jobs = [job for job in self._all("jobs") if job["metadata"]["namespace"] == namespace and self._pods_of(job)]
        jobs = [job for job in jobs if job["metadata"]["name"].endswith(suffix)]
        return next((job for job in jobs if not (job.get("status") or {}).get("conditions")), None)

    async def end(
        self, result: Result = None, *, code: int = 0, namespace: str = NAMESPACE, job: str = "", **state: Any
    ) -> None:
        """Let the Job that works now, whose name ends so, end: with the result of its stage, or with this one."""
        found = self.active_job(namespace, job)
        if found is None:
            self.evidence.reached = False
            return
        self._terminate(found, result, code, state)
        words = {"reason": "PodFailurePolicy", "failed": 1} if 10 <= code <= 14 else {"reason": "BackoffLimitExceeded"}
        verdict, words = ("Complete", {}) if code == 0 else ("Failed", words)
        self.cluster.end_job(found["metadata"]["name"], namespace, verdict, **cast(Any, words))
        await self.rest()

    def _terminate(self, job: Manifest, result: Result, code: int, state: dict[str, Any]) -> None:
        (pod,) = self._pods_of(job)
        message = result if isinstance(result, str) else encode(result or _result_of(job)).decode()
        ended = deepcopy(pod)
        began = pod["status"]["startTime"]
        terminated = {"exitCode": code, "message": message, "startedAt": began, "finishedAt": self.cluster._stamp()}
        ended["status"]["phase"] = "Succeeded" if code == 0 else "Failed"
        ended["status"]["containerStatuses"] = [{"name": "trainer", "state": {"terminated": {**terminated, **state}}}]
        self.cluster.put("pods", ended)

    # ---- the users

    async def create(self, namespace: str = NAMESPACE, name: str = NAME, **spec: Any) -> None:
        """Apply a new TweetBot."""
        manifest = a_manifest(**spec)
        del manifest["metadata"]["uid"]
        manifest["metadata"] |= {"namespace": namespace, "name": name}
        self.cluster.put("tweetbots", manifest)
        self.remember(namespace, name)
        await self.rest()

    async def change(self, **spec: Any) -> None:
        """Edit the TweetBot's spec."""
        self.cluster.edit(NAMESPACE, NAME, **spec)
        self.remember()
        await self.rest()

    async def remove_job(self, name: str) -> None:
        """Let somebody delete a Job that is somebody's."""
        self.cluster.remove("jobs", NAMESPACE, name)
        await self.rest()

    async def delete(self) -> None:
        """Delete the TweetBot."""
        self.cluster.delete_bot(NAMESPACE, NAME)
        await self.rest()

    def remember(self, namespace: str = NAMESPACE, name: str = NAME) -> None:
        """Note what users have written, which must survive."""
        stored = self.cluster.objects["tweetbots", namespace, name]
        wish = {"spec": stored["spec"]} | {
            key: stored["metadata"][key] for key in ("labels", "annotations") if key in stored["metadata"]
        }
        self.evidence.wishes[namespace, name] = deepcopy(wish)

    async def close(self) -> Evidence:
        """Let two hours pass in which nothing happens, and answer what is to be judged."""
        await self.rest(7200)
        before = len(self.faulty.writes)
        await self.rest(7200)
        self.evidence.late_writes = len(self.faulty.writes) - before
        self.evidence.changes = self.faulty.changes
        self.evidence.texts = {
            "Events": str(self.cluster.events),
            "statuses": str([bot.get("status") for bot in self._all("tweetbots")]),
        }
        self.evidence.end = [(kind, item) for (kind, _, _), item in self.cluster.objects.items() if kind != "pods"]
        return self.evidence


def _result_of(job: Manifest) -> Any:
    """Return the result of a Job's stage when it ends well."""
    match job["metadata"]["name"].rpartition("-")[2]:  # its labels may have been taken off
        case "prepare":
            return a_prepare_result()
        case "train":
            return a_train_result()
        case "pin":
            wanted = read_document(job).pin
            return a_pin_result(wanted.version if wanted and wanted.version else "2" * 16, newest="2" * 16)
        case "forget":
            return ForgetSucceeded(erased=ErasedCounts(datasets=1, versions=1))
        case _:
            return StageFailed(reason="Erased", message="")


def read_document(job: Manifest) -> RunDocument:
    """Return what a Job's trainer is given."""
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    return RunDocument.model_validate_json(next(each["value"] for each in env if each["name"] == RUN_ENV))
