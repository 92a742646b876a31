"""The chart's role on a real API server: what is missing is reported, what is granted is used, and nothing else is."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.cutting_proxy import CuttingProxy
from harness.helm import ROOT
from harness.operator_process import HASTY_PROGRAM, OperatorProcess, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import CONTROL_PLANE, EmbeddedCluster
from tweetbot_cluster.kubernetes.rights import OPERATOR, granted, operator_rights, resource_of
from tweetbot_operator.client.usage_ledger import find_shard

Right = tuple[str, str]
LEASE = "tweetbot-operator"
KINDS = ("tweetbots", "jobs", "pods")
CLASSES = "/apis/tweetbot.dev/v1alpha1/tweetbotclasses"
#: For an admission plug-in that this API server has not, so that nothing here can ask for it.
FOR_OTHERS = {("update", "tweetbots/finalizers")}
#: Needed once, at its start.
AT_START = {("get", "namespaces")}
#: A class whose budget no test uses up, and one of which a namespace has one run an hour.
BUDGETS = {"wide": {"runs": 1000}, "narrow": {"windowHours": 1, "runs": 1}}
LATE: dict[str, Any] = {"output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "late"}}}}


RULES = [rule for role in operator_rights() for rule in role.get("rules", ())]
GRANTED: set[Right] = granted()


@dataclass
class Setup:
    """A tenant, and behind a proxy an operator that has the rights of the chart."""

    home: EmbeddedCluster
    tenant: Tenant
    proxy: CuttingProxy
    operator: OperatorProcess
    bots: list[str] = field(default_factory=list)
    _used: set[Right] = field(default_factory=set)
    _heard: int = 0

    def apply(self, mood: str = "well", **spec: Any) -> str:
        """Apply one more TweetBot; answers its name."""
        self.bots.append(f"gull-{len(self.bots)}")
        self.tenant.apply(self.bots[-1], mood, **spec)
        return self.bots[-1]

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """Take a verb on a resource away from the operator for a while, once it holds its Lease again."""
        self.tenant("wait", "--for=create", f"lease/{LEASE}", "--timeout=120s")
        try:
            self._grant(lambda verb, resource: (verb, resource) != right)
            until(lambda: not self._may(right), 120)
            yield
        finally:
            self.proxy.swallow = lambda watch, line: False
            self._grant(lambda verb, resource: True)
            until(lambda: self._may(right), 120)

    def _may(self, right: Right) -> bool:
        """Whether the API server has heard of it: its own caches of roles lag behind a little."""
        resource, _, subresource = right[1].partition("/")
        rules = (rule for rule in RULES if right[1] in rule["resources"] and right[0] in rule["verbs"])
        group = next(rule["apiGroups"][0] for rule in rules)
        asked = {"verb": right[0], "group": group, "resource": resource, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": OPERATOR, "resourceAttributes": asked | self._at_hand(resource)},
        }
        answer = self.home.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    def _at_hand(self, resource: str) -> dict[str, str]:
        if resource == "namespaces":
            return {"namespace": "kube-system", "name": "kube-system"}
        if resource == "configmaps":
            return {"namespace": self.tenant.namespace, "name": self.ledger}
        return {"namespace": self.tenant.namespace, **({"name": LEASE} if resource == "leases" else {})}

    def _grant(self, kept: Any) -> None:
        roles = [role for role in operator_rights() if role["kind"] == "ClusterRole"]
        for role in roles:
            for rule in role["rules"]:
                rule["verbs"] = [verb for verb in rule["verbs"] if all(kept(verb, each) for each in rule["resources"])]
            role["rules"] = [rule for rule in role["rules"] if rule["verbs"]]
            self.home.api.apply(f"/apis/{role['apiVersion']}/clusterroles/{role['metadata']['name']}", role)

    def make_it_read(self) -> None:
        """Let no watch show it anything, so that the resync must read what it finds."""
        self.proxy.swallow = lambda watch, line: True
        self.apply("slow")

    def make_it_read_a_pod(self) -> None:
        """Change a Pod that it knows behind its watch: one that it does not know is listed with its Job."""
        name = self.apply("slow")
        until(lambda: self.tenant.pod_phases(name) == ["Running"], 120)
        self.proxy.swallow = lambda watch, line: True
        self.tenant("annotate", "pods", "--all", f"example.com/touched={len(self.bots)}", "--overwrite")

    def make_it_delete_a_job(self) -> None:
        name = self.apply("slow")
        until(lambda: self.tenant.pod_phases(name) != [], 120)
        self.tenant.apply(name, "slow", suspend=True)

    def take_its_lease(self) -> None:
        """Delete it if it exists again; never wait, as kubectl would, for the end of the new one."""
        self.tenant("delete", "lease", LEASE, "--ignore-not-found", "--wait=false")

    def touch_its_lease(self) -> None:
        """Write as another hand, after which the holder must look."""
        self.tenant("wait", "--for=create", f"lease/{LEASE}", "--timeout=120s")
        self.tenant("annotate", "lease", LEASE, f"example.com/touched={len(self.bots)}", "--overwrite")

    @property
    def ledger(self) -> str:
        """The ConfigMap in which the tenant's use of budgets is kept."""
        return f"{LEASE}-usage-{find_shard(self.tenant.namespace)}"

    def make_it_write_its_ledger(self, *, first: str = "") -> None:
        """Let a run count against a budget: what keeps that is created, replaced, or read again after another hand."""
        if first == "delete":
            self.tenant("delete", "configmap", self.ledger, "--ignore-not-found")
        if first == "touch":
            self.tenant("annotate", "configmap", self.ledger, f"example.com/touched={len(self.bots)}", "--overwrite")
        self.apply(className="wide")

    def prepare(self, right: Right) -> None:
        """Let the ledger be there before the right to read or replace it is taken: it may be deleted or unmade."""
        if right in {("get", "configmaps"), ("update", "configmaps")}:
            self.apply(className="wide")
            self.tenant("wait", "--for=create", f"configmap/{self.ledger}", "--timeout=120s")

    def provoke(self, right: Right) -> None:
        """Make the operator need a right. By itself it lists every two seconds, and renews its Lease as often."""
        provocations: dict[Right, Callable[[], object]] = {
            **{("get", kind): self.make_it_read for kind in KINDS},
            ("get", "pods"): self.make_it_read_a_pod,
            **{("list", kind): lambda: None for kind in KINDS},
            **{("watch", kind): self.proxy.end_watches for kind in (*KINDS, "tweetbotclasses")},
            ("list", "tweetbotclasses"): self.proxy.end_watches,
            ("patch", "tweetbots"): lambda: self.apply(deletionPolicy="Delete"),
            ("patch", "tweetbots/status"): self.apply,
            ("create", "jobs"): self.apply,
            ("delete", "jobs"): self.make_it_delete_a_job,
            ("list", "events"): lambda: self.apply(**LATE),
            ("create", "events"): self.apply,
            ("create", "leases"): self.take_its_lease,
            ("get", "leases"): self.touch_its_lease,
            ("update", "leases"): lambda: None,
            ("get", "namespaces"): lambda: None,
            ("create", "configmaps"): partial(self.make_it_write_its_ledger, first="delete"),
            ("get", "configmaps"): partial(self.make_it_write_its_ledger, first="touch"),
            ("update", "configmaps"): self.make_it_write_its_ledger,
        }
        provocations[right]()

    def complaints(self, since: int) -> str:
        """Return what the log and the statuses say."""
        return self.operator.log.read_text()[since:] + json.dumps(self.tenant.bots()).replace('\\"', '"')

    def used(self) -> set[Right]:
        """Return what the audit log says that the operator did since its start, or tried to do in vain."""
        with self.home.audit_log.open("rb") as log:
            log.seek(self._heard)
            news, end, _ = log.read().rpartition(b"\n")  # the last line may be half written
        self._heard += len(news + end)
        lines = map(json.loads, news.splitlines())
        mine = [line for line in lines if line["user"]["username"] == OPERATOR and "objectRef" in line]
        self._used |= {(line["verb"], resource_of(line["objectRef"])) for line in mine}
        return self._used

    def uses(self, rights: set[Right]) -> bool:
        return self.used() >= rights


@pytest.fixture(scope="module")
def home(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """A cluster of its own: the audit log of another one would tell what other operators did there."""
    with EmbeddedCluster(tmp_path_factory.mktemp("rights"), parts=(*CONTROL_PLANE, "node"), images=images) as cluster:
        cluster.seed()
        yield cluster


@pytest.fixture(scope="module")
def setup(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    tenant, folder = Tenant(home), tmp_path_factory.mktemp("rights")
    env = {"TWEETBOT_LEASE_NAMESPACE": tenant.namespace}
    often = {"RESYNC_SECONDS": 2, "JOB_RESYNC_SECONDS": 2, "TICK_SECONDS": 1}
    for name, budget in BUDGETS.items():
        made = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBotClass", "metadata": {"name": name}}
        home.api.apply(f"{CLASSES}/{name}", {**made, "spec": {"budgets": [budget]}})
    proxy = CuttingProxy(home.operator_kubeconfig, folder)
    operator = OperatorProcess(proxy.kubeconfig, folder / "log", env, constants=often, program=HASTY_PROGRAM)
    with proxy, operator:
        until(lambda: operator.leads, 120)
        yield Setup(home, tenant, proxy, operator)


@pytest.mark.parametrize("right", sorted(GRANTED - FOR_OTHERS - AT_START), ids="-".join)
def test_a_missing_right_is_told_by_name_and_healed_by_granting_it(setup: Setup, right: Right) -> None:
    verb, resource = right
    setup.prepare(right)
    since = len(setup.operator.log.read_text())
    with setup.without(right):
        setup.provoke(right)
        until(lambda: f'cannot {verb} resource "{resource}"' in setup.complaints(since).replace('\\"', '"'), 120)
    setup.tenant.wait(setup.apply(suspend=True), "Suspended", 240)
    assert setup.operator.alive


def test_without_the_right_to_read_the_clusters_uid_it_says_what_that_costs_and_works(setup: Setup) -> None:
    (right,) = AT_START
    with setup.without(right):
        since = len(setup.operator.log.read_text())
        setup.operator.stop()
        setup.operator.start()
        setup.tenant.wait(setup.apply(suspend=True), "Suspended", 240)
    said = setup.complaints(since)
    assert 'cannot get resource \\"namespaces\\"' in said
    assert "must take over its own folder" in said


def test_a_full_life_uses_every_right_and_asks_for_no_other(setup: Setup) -> None:
    """Its start counts: a Lease that is deleted later comes again by an update, to which creating is a right, too."""
    wanted = GRANTED - FOR_OTHERS
    reads = {right for right in wanted if right[0] == "get"}
    for rights in (wanted - reads, reads):  # the second half shuts the watches' mouths
        for right in rights:
            setup.provoke(right)
        with suppress(TimeoutError):  # what is missing is reported below
            until(partial(setup.uses, rights), 240)
    setup.proxy.swallow = lambda watch, line: False
    assert setup.used() == wanted


def test_deleting_and_restarting_give_no_budget_back(setup: Setup) -> None:
    tenant = Tenant(setup.home)
    tenant.apply("gull", className="narrow")
    tenant.wait("gull", "ModelReady", 240)
    tenant.apply("tern", className="narrow")
    tenant.wait("tern", "reason=BudgetExceeded", 240)
    (said,) = (each["message"] for each in tenant.status("tern")["conditions"] if each["type"] == "Ready")
    assert said.startswith("The budget has room at ")
    setup.operator.stop()
    tenant("delete", "tweetbot", "gull")
    tenant.apply("gull", className="narrow")
    setup.operator.start()
    tenant.wait("gull", "reason=BudgetExceeded", 240)
    labels = f'bot_class="narrow",bot_namespace="{tenant.namespace}",kind="runs",window_hours="1"'
    until(lambda: f"tweetbot_budget_used_ratio{{{labels}}} 1.0" in setup.operator.metrics(), 120)


def test_it_may_read_no_secret_and_run_nothing_in_a_pod(setup: Setup) -> None:
    for verb, resource in (("get", "secrets"), ("list", "configmaps"), ("create", "pods"), ("create", "pods/exec")):
        asked = ("auth", "can-i", verb, resource, f"--as={OPERATOR}", "-n", setup.tenant.namespace)
        assert setup.home.kubectl(*asked, check=False).stdout.strip() == "no"


def test_the_script_of_helm_test_finds_the_operator_well(setup: Setup) -> None:
    until(lambda: setup.operator.answer("/healthz") == 200, 120)  # it heals from what other tests do to its watches
    script = (ROOT / "charts/tweetbot-operator/files/health_test.py").read_text()
    command = [sys.executable, "-c", script, f"http://127.0.0.1:{setup.operator.port}", "60", "tweetbot_leader"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["/healthz: ok", "/readyz: ok", "/metrics: ok"]
