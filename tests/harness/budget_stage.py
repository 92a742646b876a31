"""An operator on a fake cluster whose one class has budgets, and which keeps a ledger of what runs have used."""

from typing import Any

from builders.manifests import a_manifest
from builders.operator import a_class, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_contract.result import encode
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_fakes.kubernetes.config_maps import FakeConfigMaps
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_operator.client.usage_ledger import UsageLedger
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.usage import UsageTracker


class BudgetStage(Stage):
    """The class is the default one; a restarted operator knows nothing but cluster and ledger."""

    def __init__(self, *budgets: dict[str, Any]) -> None:
        self.config_maps = FakeConfigMaps()
        self.classes: tuple[TweetBotClass, ...] = ()
        self.set_budgets(*budgets)
        super().__init__()

    def set_budgets(self, *budgets: dict[str, Any]) -> None:
        """Edit the class."""
        self.classes = (a_class("gold", default=True, budgets=list(budgets)),)

    def start_operator(self) -> None:
        super().start_operator()
        self.usage = self.reconciler.know_classes(lambda: self.classes, self.queue.add, self._open_ledger())

    def watch_usage(self) -> UsageTracker:
        """Return another replica's knowledge, which so far has seen no TweetBot."""
        return UsageTracker(Cache(), lambda: self.classes, self.wall_clock, self.queue.add, self._open_ledger())

    def _open_ledger(self) -> UsageLedger:
        return UsageLedger(self.config_maps, "tweetbot-system", "tweetbot-operator")

    def create(self, name: str, *, namespace: str = NAMESPACE, uid: str = "", **spec: Any) -> None:
        """Create a TweetBot."""
        manifest = a_manifest(**spec)
        manifest["metadata"] |= {"name": name, "namespace": namespace, "uid": uid or f"uid-{namespace}-{name}"}
        self.cluster.put("tweetbots", manifest)

    async def bring(self, name: str, **spec: Any) -> str:
        """Create a TweetBot, and return its phase and reason once the operator has come to rest."""
        self.create(name, **spec)
        await self.settle()
        return self.tell(name)

    def tell(self, name: str, namespace: str = NAMESPACE) -> str:
        """Return a TweetBot's phase and reason."""
        status = self.look(name, namespace)
        said = status.find_condition("Progressing")
        return f"{status.phase}/{said.reason if said else ''}"

    def read(self, name: str, namespace: str = NAMESPACE) -> str:
        """Return what a TweetBot says."""
        said = self.look(name, namespace).find_condition("Ready")
        return said.message if said else ""

    def look(self, name: str, namespace: str = NAMESPACE) -> TweetBotStatus:
        """Return a TweetBot's status."""
        return self.cluster.status_of(namespace, name)

    def get_run(self, name: str = "gull") -> CurrentRun:
        """Return a TweetBot's run."""
        run = self.look(name).current_run
        assert run is not None
        return run

    def start_pod(self, name: str = "gull") -> None:
        """Let a Pod of the present Job run from now on."""
        started = {"running": {"startedAt": self.cluster._stamp()}}
        self.cluster.run_pod(
            str(self.get_run(name).job_name), NAMESPACE, containerStatuses=[{"name": "trainer", "state": started}]
        )

    async def end_training(self, seconds: float, name: str = "gull") -> None:
        """Let a Pod of the present Job train for this long, and end well."""
        self.start_pod(name)
        await self.wait(seconds)
        pod = copy_json(self.cluster.objects["pods", NAMESPACE, self.cluster.names("pods")[-1]])
        started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        times = {"startedAt": started, "finishedAt": self.cluster._stamp()}
        ended = {"exitCode": 0, "message": encode(a_train_result()).decode(), **times}
        statuses = [{"name": "trainer", "state": {"terminated": ended}}]
        self.cluster.put("pods", {**pod, "status": {"phase": "Succeeded", "containerStatuses": statuses}})
        self.cluster.end_job(str(self.get_run(name).job_name), NAMESPACE, "Complete")
        await self.settle()

    def sweep(self) -> None:
        """Remove all Jobs and Pods, as the garbage collector does whose TweetBots are gone."""
        for kind, namespace, name in tuple(self.cluster.objects):
            if kind != "tweetbots":
                self.cluster.remove(kind, namespace, name)

    async def tick(self) -> None:
        """Let the ledger be written."""
        await self.usage.tick(leads=True)
