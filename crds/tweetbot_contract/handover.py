"""What operator and trainer agree on: labels, env variables, paths, exit codes, and the run document."""

import hashlib
import shlex
from enum import IntEnum
from typing import Literal

from pydantic import Field

from tweetbot_contract.result import HubResult, TrackingResult
from tweetbot_contract.spec.parts import Part
from tweetbot_contract.spec.spec import TweetBotSpec, WandB
from tweetbot_contract.status import Stage
from tweetbot_contract.status.tasks import ForgetRequest, PinRequest

GROUP = "tweetbot.dev"
VERSION = "v1alpha1"
PLURAL = "tweetbots"
KIND = "TweetBot"
CLASS_PLURAL, CLASS_KIND = "tweetbotclasses", "TweetBotClass"
#: On the class that TweetBots without className get, as on a StorageClass; of several the newest counts.
DEFAULT_CLASS_ANNOTATION = f"{GROUP}/is-default-class"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "tweetbot-operator"
#: Name and uid of the TweetBot, id of the run, and stage: on every Job and Pod that we create.
BOT_LABEL = f"{GROUP}/bot"
BOT_UID_LABEL = f"{GROUP}/bot-uid"
RUN_LABEL = f"{GROUP}/run"
STAGE_LABEL = f"{GROUP}/stage"
#: Hash of how the Job is executed (identity.hash_execution); an edit that changes it recreates an unfinished Job.
EXECUTION_ANNOTATION = f"{GROUP}/execution"
#: Which creation of the Job this is, `<run number>-<retries>`: failures of earlier ones no longer count. A third number
#: is that of its first attempt, where others kept the Pods of earlier ones and their Jobs had to go.
ROUND_ANNOTATION = f"{GROUP}/round"
#: Kueue's labels on a Job: its LocalQueue and its WorkloadPriorityClass.
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
#: Users set it to start another run, as in Flux; status.lastHandledRetrainAt echoes it.
RETRAIN_ANNOTATION = f"{GROUP}/retrain-at"
#: With the value of RETRAIN_ANNOTATION, as in Flux, it makes that run train even if an equal model is published.
FORCE_ANNOTATION = f"{GROUP}/force-at"
#: Users set it to have what holds the posts in spec.filter.excludeIds erased; status.forget echoes it.
FORGET_ANNOTATION = f"{GROUP}/forget-at"
#: Users set it to the uid of another TweetBot, or of its cluster, whose rights to the output's folder end by it.
TAKE_OVER_ANNOTATION = f"{GROUP}/take-over-prefix"

#: The only finalizer that we set, for deletionPolicy: Delete; removed when the objects in S3 are erased.
ERASE_FINALIZER = f"{GROUP}/erase"
#: Prefix of a scheduled run's trigger; the time follows.
SCHEDULE_TRIGGER = "schedule/"
#: Prefix of the trigger of a run that trains even if an equal model is published; the retrain-at value follows.
FORCE_TRIGGER = "force/"
#: Prefix of the trigger of a run that a take-over started; the annotation's value follows.
TAKE_OVER_TRIGGER = "take-over/"

RUN_ENV = "TWEETBOT_RUN"
POD_UID_ENV = "TWEETBOT_POD_UID"
POD_IP_ENV = "TWEETBOT_POD_IP"
SECRETS_DIR_ENV = "TWEETBOT_SECRETS_DIR"
WORK_DIR_ENV = "TWEETBOT_WORK_DIR"
TERMINATION_LOG_ENV = "TWEETBOT_TERMINATION_LOG"
#: Networks, beside the public internet, in which a spec's servers may be: comma-separated CIDRs.
ALLOWED_NETWORKS_ENV = "TWEETBOT_ALLOWED_NETWORKS"

SECRETS_DIR = "/var/run/tweetbot/secrets"
WORK_DIR = "/work"
#: Read-only mount of the PersistentVolumeClaim that holds the base model.
BASE_DIR_ENV, BASE_DIR = "TWEETBOT_BASE_DIR", "/var/run/tweetbot/base"
#: The files with the CAs of spec.caBundle and of the class, separated by colons.
CA_BUNDLE_ENV, CA_DIR, CA_FILE = "TWEETBOT_CA_BUNDLE", "/var/run/tweetbot/ca", "ca.crt"
CLASS_CA_DIR = "/var/run/tweetbot/class-ca"
#: Folders below the work folder where libraries write, by env variable: the root file system is read-only, and a uid
#: without a passwd entry has no home. USER is set because torch fails to look up such a uid's name (pytorch#140765).
CACHE_FOLDERS = {
    "HOME": "home",
    "XDG_CACHE_HOME": "cache",
    "HF_HOME": "cache/huggingface",
    "MPLCONFIGDIR": "cache/matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": "cache/inductor",
    "TRITON_CACHE_DIR": "cache/triton",
    "WANDB_CACHE_DIR": "cache/wandb",
    "WANDB_CONFIG_DIR": "cache/wandb-config",
    "WANDB_DATA_DIR": "wandb-data",
}
USER_ENV, USER = "USER", "trainer"
TERMINATION_LOG = "/dev/termination-log"
#: Folders below SECRETS_DIR, and the file names inside them.
S3_FOLDER = "s3"
WANDB_FOLDER, WANDB_FILE = "wandb", "api-key"
X_FILE = "token"
#: Tokens for the Hugging Face Hub: for the copy that is published, and for the base.
HUB_FOLDER, BASE_FOLDER, TOKEN_FILE = "hub", "base", "token"

#: Linux allows 128 KiB for an env variable, which the run document is.
RUN_DOCUMENT_LIMIT = 96 * 1024
#: A TweetBot's name and `-<run8>-prepare` must fit the 63 characters of a Job's name.
NAME_LIMIT = 46


#: Values of STAGE_LABEL on Jobs beside a run's stages, and the ends of their names.
TASK_STAGES = ("pin", "forget")


class ExitCode(IntEnum):
    """Exit codes of the trainer. 10 to 14 fail the Job at once; all others count against the attempts."""

    DONE = 0
    REFUSED = 10
    NOT_AUTHORIZED = 11
    TOO_LITTLE_DATA = 12
    DIVERGED = 13
    GATE_FAILED = 14
    TEMPORARY = 75
    STOPPED = 143


PERMANENT_EXIT_CODES = tuple(code for code in ExitCode if 10 <= code <= 14)

#: The task of a Pod: a stage, moving latest.json as spec.pin says, erasing what holds posts that are to be forgotten,
#: or erasing everything that the stages wrote.
Task = Stage | Literal["Pin", "Forget", "Cleanup"]


class RunDocument(Part):
    """The input of a stage; it contains no secret."""

    schema_version: Literal[1] = 1
    stage: Task
    namespace: str = Field(max_length=63)
    name: str = Field(max_length=NAME_LIMIT)
    uid: str = Field(max_length=64)
    #: uid of the cluster; empty without one, or if the operator may not read it.
    cluster: str = Field("", max_length=64)
    #: The value of TAKE_OVER_ANNOTATION.
    take_over: str = Field("", max_length=64)
    run_id: str = Field(max_length=16)
    run_number: int
    #: When the run was recorded, in RFC 3339; empty without a cluster.
    run_started_at: str = Field("", max_length=40)
    #: What started the run, if not the spec: a retrain-at value, alone or after FORCE_TRIGGER, or SCHEDULE_TRIGGER or
    #: TAKE_OVER_TRIGGER and a value.
    trigger: str = ""
    #: Train only with at least this many posts that the served model has not seen; 0 always trains.
    min_new_posts: int = 0
    #: Digest of the prepared dataset, for Train.
    dataset: str | None = None
    #: What spec.pin asked for last, as far as the operator has recorded it.
    pin: PinRequest | None = None
    #: What is to be forgotten, for Forget: the posts in spec.filter.excludeIds.
    forget: ForgetRequest | None = None
    image: str = ""
    spec: TweetBotSpec

    @property
    def forced(self) -> bool:
        """Whether the run must train even if an equal model exists: somebody asked for another one."""
        return self.trigger.startswith(FORCE_TRIGGER)

    @property
    def prefix(self) -> str:
        """Address of all of this TweetBot's objects, without a slash at the end."""
        return f"{self.spec.output.s3.uri.rstrip('/')}/{self.namespace}/{self.name}"

    def encode(self) -> str:
        """Return JSON for an env variable, dollars escaped for the kubelet. ValueError above RUN_DOCUMENT_LIMIT."""
        text = self.model_dump_json(by_alias=True, exclude_none=True).replace("$", "\\u0024")
        if len(text.encode()) > RUN_DOCUMENT_LIMIT:
            raise ValueError(f"the run document is longer than {RUN_DOCUMENT_LIMIT} bytes: shorten the spec")
        return text


def get_x_folder(source_index: int) -> str:
    """Return the secrets folder of the X source at this index of spec.sources."""
    return f"x-{source_index}"


def build_sync_command(spec: TweetBotSpec, model_uri: str) -> str:
    """Return the command that sends the run of a model's version to W&B later, as a person can paste it."""
    wandb = spec.tracking.wandb
    options = {
        "--model": model_uri,
        "--project": None if wandb.project == WandB().project else wandb.project,
        "--entity": wandb.entity,
        "--base-url": wandb.base_url,
    }
    return _join_command("sync", spec, options, *(["--report"] if wandb.report else []))


def _join_command(name: str, spec: TweetBotSpec, options: dict[str, str | None], *flags: str) -> str:
    """Return a command of the trainer with the options that have a value, and those that lead to the bucket."""
    s3 = spec.output.s3
    style = None if s3.addressing_style == "Auto" else s3.addressing_style
    given = {**options, "--endpoint": s3.endpoint, "--region": s3.region, "--addressing-style": style}
    words = [word for option, value in given.items() if value for word in (option, value)]
    return shlex.join(("tweetbot-trainer", name, *words, *flags))


def explain_sync(spec: TweetBotSpec, model_uri: str, tracking: TrackingResult) -> str | None:
    """Return how to send a training's run to W&B later; None if it is there, or tracking is off."""
    if tracking.wandb_mode == "Disabled" or (tracking.wandb_mode == "Online" and not tracking.degraded):
        return None
    return f"To send the run later, set WANDB_API_KEY and run: {build_sync_command(spec, model_uri)}"


def explain_hub_fault(spec: TweetBotSpec, model_uri: str, result: HubResult) -> str:
    """Return why a version's copy on the Hub is not as the spec asks, and how to send it; empty if it is."""
    hub = spec.output.hugging_face
    if not result.degraded or hub is None or result.published:
        return result.degraded or ""
    visibility = None if hub.visibility == "Private" else hub.visibility
    options = {"--model": model_uri, "--repo": hub.repo, "--visibility": visibility}
    command = _join_command("publish", spec, options)
    fault = result.degraded[0].upper() + result.degraded[1:].rstrip(".")
    now = "`kubectl tweetbot publish NAME` sends it now; without the cluster, set HF_TOKEN and run"
    return f"{fault}. The next run tries again. {now}: {command}"


def build_cleanup_job_name(bot: str, uid: str) -> str:
    """Return the name of the Job that erases a TweetBot's objects."""
    return f"{bot}-{uid.replace('-', '')[:8]}-cleanup"


def build_pin_job_name(bot: str, uid: str, request: PinRequest) -> str:
    """Return the name of the Job that moves latest.json for this request."""
    return _build_task_job_name(bot, "pin", f"{uid} {request.version} {request.requested_at} {request.generation}")


def build_forget_job_name(bot: str, uid: str, request: ForgetRequest) -> str:
    """Return the name of the Job that erases for this try of this request."""
    return _build_task_job_name(bot, "forget", f"{uid} {request.request} {request.started_at}")


def _build_task_job_name(bot: str, stage: str, key: str) -> str:
    return f"{bot}-{hashlib.sha256(key.encode()).hexdigest()[:8]}-{stage}"


def find_task(name: str) -> str:
    """Return the stage label of a Job beside a run's stages by its name; empty for other Jobs."""
    return next((stage for stage in TASK_STAGES if name.endswith(f"-{stage}")), "")


def build_job_name(bot: str, run: str, stage: Stage) -> str:
    """Return the name of a stage's Job. Equal input gives the same name, so creating it twice is harmless."""
    return f"{bot}-{run[:8]}-{stage.lower()}"
