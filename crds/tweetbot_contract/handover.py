"""What crosses a Pod's border: names of labels, env variables, paths and exit codes, and the run document."""

from enum import IntEnum
from typing import Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import Stage

GROUP = "tweetbot.dev"
VERSION = "v1alpha1"
PLURAL = "tweetbots"
KIND = "TweetBot"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "tweetbot-operator"
#: The TweetBot's name, its uid, the run's id and the stage, on every Job and Pod we make.
BOT_LABEL = f"{GROUP}/bot"
BOT_UID_LABEL = f"{GROUP}/bot-uid"
RUN_LABEL = f"{GROUP}/run"
STAGE_LABEL = f"{GROUP}/stage"
#: Hash of how the Job is executed (identity.execution_of): an edit of it recreates an unfinished Job.
EXECUTION_ANNOTATION = f"{GROUP}/execution"
#: Which creation of the Job this is, `<run number>-<retries>`: a failure of another round counts no more.
ROUND_ANNOTATION = f"{GROUP}/round"
#: Kueue's labels on a Job: the LocalQueue that it waits in, and its WorkloadPriorityClass.
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
#: Set by users to force another run (Flux's idiom), echoed in status.lastHandledRetrainAt.
RETRAIN_ANNOTATION = f"{GROUP}/retrain-at"

#: The one finalizer that we set, for deletionPolicy: Delete alone; it goes when the objects in S3 have gone.
ERASE_FINALIZER = f"{GROUP}/erase"
#: What the trigger of a scheduled run begins with; its time follows.
SCHEDULE_TRIGGER = "schedule/"

RUN_ENV = "TWEETBOT_RUN"
POD_UID_ENV = "TWEETBOT_POD_UID"
POD_IP_ENV = "TWEETBOT_POD_IP"
SECRETS_DIR_ENV = "TWEETBOT_SECRETS_DIR"
WORK_DIR_ENV = "TWEETBOT_WORK_DIR"
TERMINATION_LOG_ENV = "TWEETBOT_TERMINATION_LOG"
#: Networks beside the public internet that servers named in a spec may be in: CIDRs, comma-separated.
ALLOWED_NETWORKS_ENV = "TWEETBOT_ALLOWED_NETWORKS"

#: Where and how a trainer reports its progress, by the names of Kubeflow's KEP-2779: what speaks that is understood.
PROGRESS_URL_ENV = "KUBEFLOW_TRAINER_SERVER_URL"
PROGRESS_CA_ENV = "KUBEFLOW_TRAINER_SERVER_CA_CERT"
PROGRESS_TOKEN_ENV = "KUBEFLOW_TRAINER_SERVER_TOKEN"  # noqa: S105 - the name of a variable that holds a path
PROGRESS_DIR = "/var/run/tweetbot/progress"
#: On the Pods: the certificates by which they know the operator, mounted as a file.
PROGRESS_CA_ANNOTATION = f"{GROUP}/progress-ca"

SECRETS_DIR = "/var/run/tweetbot/secrets"
WORK_DIR = "/work"
#: Where a claim with the base model is mounted, read-only.
BASE_DIR_ENV, BASE_DIR = "TWEETBOT_BASE_DIR", "/var/run/tweetbot/base"
#: Where libraries write, by env variable, below the work folder: the root is read-only, and a uid without passwd entry
#: has no home. USER as well: torch asks for the name of such a uid and fails (pytorch#140765).
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

#: The run document travels as an env variable; Linux allows 128 KiB for one, we stay below.
RUN_DOCUMENT_LIMIT = 96 * 1024
#: A bot's name and `-<run8>-prepare` must fit the 63 characters of a Job's name.
NAME_LIMIT = 46


class ExitCode(IntEnum):
    """How a trainer process ends. 10 to 14 fail the Job at once; everything else counts against the attempts."""

    DONE = 0
    REFUSED = 10
    NOT_AUTHORIZED = 11
    TOO_LITTLE_DATA = 12
    DIVERGED = 13
    GATE_FAILED = 14
    TEMPORARY = 75
    STOPPED = 143


PERMANENT_EXIT_CODES = tuple(code for code in ExitCode if 10 <= code <= 14)


#: What a Pod of ours does: a stage, or the erasure of everything that stages wrote.
Task = Stage | Literal["Cleanup"]


class RunDocument(Part):
    """What a stage needs to know; no secret is in it."""

    schema_version: Literal[1] = 1
    stage: Task
    namespace: str = Field(max_length=63)
    name: str = Field(max_length=NAME_LIMIT)
    uid: str = Field(max_length=64)
    run_id: str = Field(max_length=16)
    run_number: int
    #: What asked for the run beside the spec: a retrain-at value, or SCHEDULE_TRIGGER and a time.
    trigger: str = ""
    #: So many posts that the served model has not seen are needed, or nothing is trained; 0: train in any case.
    min_new_posts: int = 0
    #: Digest of the prepared dataset; set for Train.
    dataset: str | None = None
    image: str = ""
    spec: TweetBotSpec

    @property
    def forced(self) -> bool:
        """Whether the run adopts no model that another run made: somebody asked for another one."""
        return bool(self.trigger) and not self.trigger.startswith(SCHEDULE_TRIGGER)

    @property
    def prefix(self) -> str:
        """The address below which everything of this TweetBot lies, without a slash at the end."""
        return f"{self.spec.output.s3.uri.rstrip('/')}/{self.namespace}/{self.name}"

    def encode(self) -> str:
        """Return JSON fit for an env variable: the kubelet expands `$(VAR)`, so no dollar stays literal.

        Raises ValueError when it is longer than RUN_DOCUMENT_LIMIT bytes.
        """
        text = self.model_dump_json(by_alias=True, exclude_none=True).replace("$", "\\u0024")
        if len(text.encode()) > RUN_DOCUMENT_LIMIT:
            raise ValueError(f"the run document is longer than {RUN_DOCUMENT_LIMIT} bytes: shorten the spec")
        return text


def get_x_folder(source_index: int) -> str:
    """Return the secrets folder of the X source at this position in spec.sources."""
    return f"x-{source_index}"


def build_progress_audience(namespace: str, bot: str, run: str) -> str:
    """Return whom a token for reporting is meant for: this run's endpoint and no other, nor the API server."""
    return f"{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{bot}/runs/{run}/progress"


def build_progress_path(namespace: str, bot: str, run: str) -> str:
    """Return the path of that endpoint."""
    return f"/apis/{build_progress_audience(namespace, bot, run)}"


def build_cleanup_job_name(bot: str, uid: str) -> str:
    """Return the name of the Job that erases a TweetBot's objects: one a TweetBot."""
    return f"{bot}-{uid.replace('-', '')[:8]}-cleanup"


def build_job_name(bot: str, run: str, stage: Stage) -> str:
    """Return a stage's Job name: same bot, run and stage, same Job, so creating twice is harmless."""
    return f"{bot}-{run[:8]}-{stage.lower()}"
