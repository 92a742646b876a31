"""Build the Pod of a stage: Pod Security "restricted", Secrets as files that the operator never reads, no API token."""

from collections.abc import Mapping

from tweetbot_contract import handover
from tweetbot_contract.handover import RunDocument, Task
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.progress import PROGRESS_PORT, PROGRESS_PORT_NAME
from tweetbot_contract.spec.memory import resolve_memory
from tweetbot_contract.spec.model import PVC_SCHEME
from tweetbot_contract.spec.quantities import canonicalize_cpu, canonicalize_memory, read_quantity
from tweetbot_contract.spec.scheduling import Affinity, Placement, Scheduling
from tweetbot_contract.spec.sources import SecretKey, XSource
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

CONTAINER = "trainer"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108 - mount paths inside the Pod
_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_S3_OPTIONAL_KEYS = ("AWS_SESSION_TOKEN",)
#: Seconds that the trainer has after SIGTERM: enough to finish an upload that has begun.
TERMINATION_GRACE_PERIOD_SECONDS = 120
#: sizeLimit of /tmp.
TMP_SIZE = "2Gi"
#: sizeLimit of /dev/shm in the train stage: a runtime's own 64 MiB is too small for data loaders.
SHM_SIZE = "1Gi"
_DISK = "ephemeral-storage"
#: A Pod asks for this part of its volumes' limits: 5.5 GiB of 22 hold a GPT-2 with its checkpoint, twice.
DISK_REQUEST_SHARE = 4
#: Bytes for logs, which the kubelet counts with the volumes and rotates at some 10 MiB.
LOG_BYTES = 256 * 2**20
#: Where the operator asks how far the stage is.
_PROGRESS: Manifest = {"name": PROGRESS_PORT_NAME, "containerPort": PROGRESS_PORT, "protocol": "TCP"}
_CACHES = {name: f"{handover.WORK_DIR}/{folder}" for name, folder in handover.CACHE_FOLDERS.items()}
_ANYWHERE = Placement()

#: A volume's name, where it is mounted, and its source.
Storage = tuple[str, str, Manifest]


def build_pod_spec(bot: TweetBot, run: CurrentRun, document: RunDocument, settings: OperatorSettings) -> Manifest:
    """Build the Pod's spec. Raises ValueError when the run document is too long for an env variable."""
    pod = build_restricted_pod(
        bot,
        run.stage,
        env=_build_env(bot, document, settings),
        resources=_get_resources(bot, run, settings),
        storage=_build_storage(bot, run, settings),
        settings=settings,
    )
    pod["containers"][0]["ports"] = [_PROGRESS]
    if run.avoided_nodes:
        _avoid_nodes(pod, run.avoided_nodes)
    return pod


def _avoid_nodes(pod: Manifest, nodes: tuple[str, ...]) -> None:
    """Prefer other nodes than these; if there are none, they are tried again."""
    fields = [{"key": "metadata.name", "operator": "NotIn", "values": [node]} for node in nodes]
    affinity = pod.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    preferred = affinity.setdefault("preferredDuringSchedulingIgnoredDuringExecution", [])
    preferred.append({"weight": 100, "preference": {"matchFields": fields}})


def build_restricted_pod(
    bot: TweetBot,
    task: Task,
    *,
    env: list[Manifest],
    resources: dict[str, str],
    storage: list[Storage],
    settings: OperatorSettings,
) -> Manifest:
    """Build a Pod's spec with its one container, scheduled as the TweetBot asks, without root or API token."""
    user = settings.run_as_user
    counted = bool(settings.kueue_version or bot.spec.scheduling.queue_name)
    ca_env, ca_storage = _build_ca_bundle(bot.spec, settings)
    env, storage = [*env, *ca_env], [*storage, *ca_storage]
    ids = {"runAsUser": user, "runAsGroup": user, "fsGroup": user} if user else {}
    optional = {"serviceAccountName": bot.spec.service_account_name} if bot.spec.service_account_name else {}
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": TERMINATION_GRACE_PERIOD_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, **ids, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [build_restricted_container(task, env, resources, storage, settings, counted=counted)],
        "volumes": [{"name": name, **source} for name, _, source in storage],
        **optional,
        **_build_placement_fields(bot.spec.scheduling, task),
    }


def build_restricted_container(
    task: Task,
    env: list[Manifest],
    resources: dict[str, str],
    storage: list[Storage],
    settings: OperatorSettings,
    *,
    counted: bool,
) -> Manifest:
    """Build the trainer's container. Its requests equal its limits, so it is one of the last to be evicted.

    Only of disk it asks for less than it may use. Where Kueue counts requests (`counted`) it asks for none, as Kueue
    admits no Pod that asks for what its ClusterQueue does not list, and few list disk.
    """
    request, limit = ({}, {}) if counted else compute_disk(storage)
    return {
        "name": CONTAINER,
        "image": settings.trainer_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tweetbot-trainer", task.lower()],
        "env": env,
        "resources": {"requests": {**resources, **request}, "limits": {**resources, **limit}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePath": handover.TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": [_build_mount(*each) for each in storage],
    }


def compute_disk(storage: list[Storage]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the volumes ask of the node's disk, and may use of it.

    The request is what most runs use: the scheduler then finds a node with room, and the kubelet evicts other Pods
    first. The limit is no tighter than those of the volumes, but stands where a LimitRange would set a smaller one.
    """
    limits = [str(source["emptyDir"]["sizeLimit"]) for _, _, source in storage if _is_on_disk(source)]
    total = int(sum(read_quantity(limit) or 0 for limit in limits))
    request, limit = str(total // DISK_REQUEST_SHARE), str(total + LOG_BYTES)
    return {_DISK: canonicalize_memory(request)}, {_DISK: canonicalize_memory(limit)}


def _is_on_disk(source: Manifest) -> bool:
    return "emptyDir" in source and "medium" not in source["emptyDir"]


def _build_mount(name: str, path: str, source: Manifest) -> Manifest:
    return {"name": name, "mountPath": path, **({} if "emptyDir" in source else {"readOnly": True})}


def _build_env(bot: TweetBot, document: RunDocument, settings: OperatorSettings) -> list[Manifest]:
    base = bot.spec.model.base
    literals = {
        **build_env_literals(document, settings),
        **_CACHES,
        handover.USER_ENV: handover.USER,
        "TMPDIR": _TMP,
        **({} if base.startswith("hf://") else {"HF_HUB_OFFLINE": "1"}),  # else libraries ask the hub all the same
        **({handover.BASE_DIR_ENV: handover.BASE_DIR} if base.startswith(PVC_SCHEME) else {}),
    }
    return [*build_env_vars(literals), *build_own_address()]


def build_own_address() -> list[Manifest]:
    """Return the variables by which a Pod serves its progress."""
    own_fields = {handover.POD_UID_ENV: "metadata.uid", handover.POD_IP_ENV: "status.podIP"}
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in own_fields.items()]


def build_env_literals(document: RunDocument, settings: OperatorSettings) -> dict[str, str]:
    """Return the variables that every task reads, by name. Raises ValueError when the document is too long for one."""
    allowed = {handover.ALLOWED_NETWORKS_ENV: settings.allowed_networks} if settings.allowed_networks else {}
    return {
        handover.RUN_ENV: document.encode(),
        handover.SECRETS_DIR_ENV: handover.SECRETS_DIR,
        handover.WORK_DIR_ENV: handover.WORK_DIR,
        handover.TERMINATION_LOG_ENV: handover.TERMINATION_LOG,
        **allowed,
    }


def build_env_vars(literals: Mapping[str, str]) -> list[Manifest]:
    """Return the variables as a container's `env`."""
    return [{"name": name, "value": value} for name, value in literals.items()]


def _get_resources(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> dict[str, str]:
    if run.stage == "Prepare":
        return get_prepare_resources(settings)
    wanted = bot.spec.resources
    gpus = {wanted.gpu.resource: str(wanted.gpu.count)} if wanted.gpu.count else {}
    return {"cpu": canonicalize_cpu(wanted.cpu), "memory": canonicalize_memory(resolve_memory(bot.spec)), **gpus}


def get_prepare_resources(settings: OperatorSettings) -> dict[str, str]:
    """Return the resources of a task that mostly waits for the network."""
    return {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}


def _build_storage(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Storage]:
    storage: list[Storage] = [
        ("work", handover.WORK_DIR, {"emptyDir": {"sizeLimit": settings.work_size}}),
        ("tmp", _TMP, {"emptyDir": {"sizeLimit": TMP_SIZE}}),
    ]
    if run.stage == "Train":
        storage.append(("shm", _SHM, {"emptyDir": {"medium": "Memory", "sizeLimit": SHM_SIZE}}))
    storage += build_secret_storage(bot.spec, run.stage)
    if pvc := get_pvc_name(bot.spec.model.base):  # while it is missing, the Pod is Unschedulable
        storage.append(("base", handover.BASE_DIR, {"persistentVolumeClaim": {"claimName": pvc, "readOnly": True}}))
    return storage


def get_pvc_name(base: str) -> str | None:
    """Return the name of the PersistentVolumeClaim that holds a base model, or None."""
    return base.removeprefix(PVC_SCHEME).partition("/")[0] if base.startswith(PVC_SCHEME) else None


def build_secret_storage(spec: TweetBotSpec, task: Task) -> list[Storage]:
    """Build the volume of a task's Secrets.

    Without the keys of S3, X or the base a Pod does not start; without those of W&B and of the copy on the Hub it does.
    """
    sources: list[Manifest] = []
    if s3 := spec.output.s3.credentials_secret:
        sources.append(_build_s3_source(s3.name, _S3_KEYS))
        sources.append(_build_s3_source(s3.name, _S3_OPTIONAL_KEYS, optional=True))
    if (key := spec.tracking.wandb.api_key_secret) and task in ("Prepare", "Train", "Forget"):
        sources.append(_build_key_source(key, f"{handover.WANDB_FOLDER}/{handover.WANDB_FILE}", optional=True))
    if (hub := spec.output.hugging_face) and hub.token_secret:
        sources.append(_build_token_source(hub.token_secret, handover.HUB_FOLDER, optional=True))
    if spec.model.token_secret and task in ("Prepare", "Train"):
        sources.append(_build_token_source(spec.model.token_secret, handover.BASE_FOLDER))
    if task == "Prepare":  # the train stage reads the dataset, so no X token is near a GPU for hours
        sources += [
            _build_key_source(source.kind.token_secret, f"{handover.get_x_folder(index)}/{handover.X_FILE}")
            for index, source in enumerate(spec.sources)
            if isinstance(source.kind, XSource)
        ]
    return (
        [("secrets", handover.SECRETS_DIR, {"projected": {"defaultMode": 0o440, "sources": sources}})]
        if sources
        else []
    )


def _build_ca_bundle(spec: TweetBotSpec, settings: OperatorSettings) -> tuple[list[Manifest], list[Storage]]:
    """Build the variable and the volume of the CAs that a Pod trusts: the TweetBot's, else the platform's, if any."""
    name, key = (
        (spec.ca_bundle.name, spec.ca_bundle.key) if spec.ca_bundle else (settings.ca_config_map, handover.CA_FILE)
    )
    if not name:
        return [], []
    source = {"configMap": {"name": name, "items": [{"key": key, "path": handover.CA_FILE}]}}
    return build_env_vars({handover.CA_BUNDLE_ENV: f"{handover.CA_DIR}/{handover.CA_FILE}"}), [
        ("ca", handover.CA_DIR, source)
    ]


def _build_s3_source(secret: str, keys: tuple[str, ...], *, optional: bool = False) -> Manifest:
    return _build_secret_source(secret, [{"key": key, "path": f"{handover.S3_FOLDER}/{key}"} for key in keys], optional)


def _build_token_source(key: SecretKey, folder: str, *, optional: bool = False) -> Manifest:
    return _build_key_source(key, f"{folder}/{handover.TOKEN_FILE}", optional=optional)


def _build_key_source(key: SecretKey, path: str, *, optional: bool = False) -> Manifest:
    return _build_secret_source(key.name, [{"key": key.key, "path": path}], optional)


def _build_secret_source(secret: str, items: list[dict[str, str]], optional: bool) -> Manifest:
    return {"secret": {"name": secret, "items": items, **({"optional": True} if optional else {})}}


def _build_placement_fields(scheduling: Scheduling, task: Task) -> Manifest:
    """Build the fields of a Pod's place. Trainings alone go to GPU nodes; the others inherit the priority, if unset."""
    placement = scheduling if task == "Train" else scheduling.prepare or _ANYWHERE
    fields = {
        "priorityClassName": placement.priority_class_name or scheduling.priority_class_name,
        "runtimeClassName": placement.runtime_class_name,
        "nodeSelector": dict(placement.node_selector),
        "tolerations": [toleration.to_dict() for toleration in placement.tolerations],
        "affinity": _build_affinity(placement.affinity) if placement.affinity else None,
    }
    return {name: value for name, value in fields.items() if value}


def _build_affinity(affinity: Affinity) -> Manifest:
    node: Manifest = {}
    if affinity.required:
        terms = [term.to_dict() for term in affinity.required]
        node["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if affinity.preferred:
        node["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": term.weight, "preference": term.preference.to_dict()} for term in affinity.preferred
        ]
    return {"nodeAffinity": node} if node else {}
