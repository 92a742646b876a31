"""What runs around an API server in memory: Job controller, kubelet, trainer, TTL controller and garbage collector.

They do what the objects say, as far as it concerns the operator: how many Pods, under which labels, and until when.
"""

from datetime import timedelta
from typing import Any

from tweetbot_contract.handover import RUN_ENV, TERMINATION_LOG, RunDocument
from tweetbot_contract.result import TrainerResult, encode
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.types.times import parse_time

Manifest = dict[str, Any]
#: Seconds for which a trainer runs.
WORK_SECONDS = 60


class Controllers:
    """Everything but the operator."""

    def __init__(self, cluster: FakeCluster, results: dict[str, TrainerResult]) -> None:
        """`results` is what a trainer answers at the end of each task."""
        self._cluster, self._results = cluster, results

    def control(self) -> None:
        """Let the controllers do what is due."""
        for job in self._list("jobs"):
            if "deletionTimestamp" in job["metadata"] or self._is_orphan(job) or self._is_expired(job):
                self._remove(job)
            elif not (_get_end(job) or job["spec"].get("managedBy")):
                self._control_job(job)

    def _control_job(self, job: Manifest) -> None:
        spec, namespace, name = job["spec"], job["metadata"]["namespace"], job["metadata"]["name"]
        for pod in self._list_pods(job):
            self._run_trainer(pod)
        pods = self._list_pods(job)
        phases = [pod["status"]["phase"] for pod in pods]
        if phases.count("Succeeded") >= spec.get("completions", 1):
            self._cluster.end_job(name, namespace, "Complete")
        elif phases.count("Failed") > spec.get("backoffLimit", 6):
            self._cluster.end_job(name, namespace, "Failed", failed=phases.count("Failed"))
        elif not spec.get("suspend") and phases.count("Running") + phases.count("Pending") < spec.get("parallelism", 1):
            self._create_pod(job, len(pods))

    def _create_pod(self, job: Manifest, number: int) -> None:
        template, name = job["spec"].get("template") or {}, job["metadata"]["name"]
        owner = {"kind": "Job", "name": name, "uid": job["metadata"]["uid"], "controller": True}
        own = {"namespace": job["metadata"]["namespace"], "name": f"{name}-{number}", "ownerReferences": [owner]}
        pod = {"metadata": {**(template.get("metadata") or {}), **own}, "spec": template.get("spec") or {}}
        pod = self._cluster.admit("pods", pod, False)
        if pod["spec"].get("schedulingGates"):
            self._cluster.put("pods", {**pod, "status": {"phase": "Pending"}})
            return
        running = {"state": {"running": {"startedAt": self._cluster._stamp()}}}
        statuses = [{"name": each.get("name", "?"), **running} for each in pod["spec"].get("containers") or ()]
        self._cluster.put("pods", {**pod, "status": {"phase": "Running", "containerStatuses": statuses}})

    def _run_trainer(self, pod: Manifest) -> None:
        """End a Pod whose time is over: well, if the trainer finds its document and its answer is read."""
        began = parse_time(pod["metadata"]["creationTimestamp"])
        if pod["status"]["phase"] != "Running" or self._cluster.now() < began + timedelta(seconds=WORK_SECONDS):
            return
        containers = pod["spec"].get("containers") or [{}]
        document = _read_document(containers[0])
        read = containers[0].get("terminationMessagePath", TERMINATION_LOG) == TERMINATION_LOG
        message = encode(self._results[document.stage]).decode() if document and read else ""
        times = {"startedAt": pod["metadata"]["creationTimestamp"], "finishedAt": self._cluster._stamp()}
        state = {"terminated": {"exitCode": 0 if document else 1, "message": message, **times}}
        statuses = [{"name": each.get("name", "?"), "state": state} for each in containers]
        phase = "Succeeded" if document else "Failed"
        self._cluster.put("pods", {**pod, "status": {"phase": phase, "containerStatuses": statuses}})

    def _is_orphan(self, job: Manifest) -> bool:
        owners = {owner.get("uid") for owner in job["metadata"].get("ownerReferences") or ()}
        return bool(owners) and not owners & {bot["metadata"]["uid"] for bot in self._list("tweetbots")}

    def _is_expired(self, job: Manifest) -> bool:
        end, ttl = _get_end(job), job["spec"].get("ttlSecondsAfterFinished")
        return bool(end) and ttl is not None and self._cluster.now() >= parse_time(end) + timedelta(seconds=ttl)

    def _remove(self, job: Manifest) -> None:
        for pod in self._list_pods(job):
            self._cluster.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        if not job["metadata"].get("finalizers"):
            self._cluster.remove("jobs", job["metadata"]["namespace"], job["metadata"]["name"])

    def _list_pods(self, job: Manifest) -> list[Manifest]:
        uid = job["metadata"]["uid"]
        return [pod for pod in self._list("pods") if pod["metadata"]["ownerReferences"][0].get("uid") == uid]

    def _list(self, kind: str) -> list[Manifest]:
        return [item for (of, _, _), item in self._cluster.objects.items() if of == kind]


def _get_end(job: Manifest) -> str:
    conditions = (job.get("status") or {}).get("conditions") or [{}]
    return str(conditions[0].get("lastTransitionTime", ""))


def _read_document(container: Manifest) -> RunDocument | None:
    env = {each.get("name"): each.get("value") for each in container.get("env") or ()}
    try:
        return RunDocument.model_validate_json(env.get(RUN_ENV) or "")
    except ValueError:
        return None
