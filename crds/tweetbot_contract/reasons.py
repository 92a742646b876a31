"""Every reason that a condition, a run or a termination message may carry, with what to do about it.

docs/troubleshooting.md is rendered from this table; a test holds it complete.
"""

from tweetbot_contract.reason import Actor as Actor
from tweetbot_contract.reason import Reason as Reason

_ALL: list[Reason] = []


def _add(name: str, meaning: str, actor: Actor = "Nobody", advice: str = "Nothing: it goes on by itself.") -> Reason:
    _ALL.append(reason := Reason(name, meaning, actor, advice))
    return reason


# ---- states of a run that goes on or ended well
QUEUED = _add(
    "Queued",
    "The run waits for its turn.",
    advice="Nothing: it begins when the operator has a slot for it, or when its Kueue queue admits its Job.",
)
PREPARING = _add("Preparing", "Posts are fetched and cleaned.")
TRAINING = _add("Training", "The model is fine-tuned.")
SUCCEEDED = _add("Succeeded", "The model is published.")
ADOPTED = _add("Adopted", "A model of exactly this dataset and training was published before and is served.")
NOTHING_NEW = _add(
    "NothingNew",
    "The scheduled run found fewer new posts than spec.schedule.minNewPosts; the model stays as it is.",
)
SUSPENDED = _add("Suspended", "spec.suspend is true.", "Author", "Set spec.suspend to false to go on.")
NOT_SUSPENDED = _add("NotSuspended", "spec.suspend is false.")
EVICTED = _add(
    "Evicted",
    "The Pod had to leave its node, or its Kueue queue needed the place; the run goes on from its last checkpoint.",
)
PREEMPTED_TOO_OFTEN = _add(
    "PreemptedTooOften",
    "The Pod had to leave its node 20 times; the Job is created again after a pause.",
    "Platform",
    "It goes on by itself. A higher spec.scheduling.priorityClassName, or nodes that stay, would let it finish sooner.",
)
ERASING = _add("Erasing", "The TweetBot is being deleted; its objects in S3 are erased first.")
ERASURE_GIVEN_UP = _add(
    "ErasureGivenUp",
    "The TweetBot was deleted, its objects in S3 were not.",
    "Author",
    "Erase by hand what the message names.",
)
SUPERSEDED = _add("Superseded", "The spec was edited; another run has taken over.")
WAITING_FOR_PREVIOUS_POD = _add("WaitingForPreviousPod", "A Job or Pod of an earlier run is still ending.")
RETRY_BACKOFF = _add("RetryBackoff", "A temporary fault ended the Job; it is created again after a pause.")
RESULT_LOST = _add("ResultLost", "The Job's result was gone before it was read; the stage is asked again.")
NO_MODEL = _add("NoModel", "No model has been published yet.")
DATASET_READY = _add("DatasetReady", "The dataset stands in S3.")
NO_DATASET = _add("NoDataset", "No dataset has been prepared yet.")
ACCEPTED = _add("Accepted", "The spec is valid.")
TRACKED = _add("Tracked", "Tracking works as asked for.")
TRACKING_DEGRADED = _add(
    "TrackingDegraded",
    "Weights & Biases did less than was asked for; the run is not affected.",
    "Author",
    "See the condition's message: a missing or wrong key, or a server that is away. The metrics file is in S3.",
)

# ---- the operator saw it
INVALID_SPEC = _add(
    "InvalidSpec", "The stored spec breaks a rule.", "Author", "Correct the field that the message names."
)
NAME_CONFLICT = _add(
    "NameConflict",
    "A Job of the name that the run needs exists and is not ours.",
    "Author",
    "Delete or rename that Job; the operator never touches it.",
)
JOB_EDITED = _add("JobEdited", "The Job lost the label that the operator sees it by; it is made anew.")
JOB_REFUSED = _add(
    "JobRefused",
    "The API server refuses the Job (quota, admission, an invalid value).",
    "Author",
    "Correct what the message names; the operator tries again with a growing pause.",
)
ADMISSION_UNAVAILABLE = _add(
    "AdmissionUnavailable",
    "A webhook that has a say in the Job does not answer, so the API server creates none.",
    "Platform",
    "It is tried again unaided, at least every minute. If it stays, look at the Pods of what the message names.",
)
STATUS_REFUSED = _add(
    "StatusRefused",
    "The API server refuses the status, or fails at writing it each time with the same words.",
    "Platform",
    "Change the policy, webhook or right that the message names, else report it. It is tried again, with a pause.",
)
FINALIZER_REFUSED = _add(
    "FinalizerRefused",
    "The API server refuses the finalizer of deletionPolicy: Delete, or its removal; until then nothing else is done.",
    "Platform",
    "Change the policy, webhook or right that the message names. The operator tries again, with a pause.",
)
SECRET_NOT_FOUND = _add(
    "SecretNotFound",
    "A Secret that the spec names, or a key in it, does not exist.",
    "Author",
    "Create it; the run goes on unaided. It fails when startDeadlineSeconds is over.",
)
UNSCHEDULABLE = _add(
    "Unschedulable",
    "No node can take the Pod.",
    "Platform",
    "Lower spec.resources, correct spec.scheduling, or add a node; the run goes on unaided.",
)
POD_REFUSED = _add(
    "PodRefused",
    "The namespace admits no Pod of the Job (quota, LimitRange, Pod Security, a webhook).",
    "Author",
    "Lower spec.resources, or have the quota or policy changed; the run goes on unaided.",
)
IMAGE_PULL_FAILED = _add(
    "ImagePullFailed", "The trainer image cannot be pulled.", "Platform", "Check its name and the node's access to it."
)
START_DEADLINE_EXCEEDED = _add(
    "StartDeadlineExceeded",
    "The Pod did not start within spec.run.startDeadlineSeconds.",
    "Author",
    "Remove the cause that the message names, then set the annotation tweetbot.dev/retrain-at.",
)
DEADLINE_EXCEEDED = _add(
    "DeadlineExceeded",
    "The stage ran longer than spec.run.activeDeadlineSeconds.",
    "Author",
    "Raise activeDeadlineSeconds, or give the run less to do.",
)
OUT_OF_MEMORY = _add(
    "OutOfMemory",
    "The trainer needed more memory than it may use.",
    "Author",
    "Raise spec.resources.memory; the run is tried again unaided.",
)
ATTEMPTS_EXHAUSTED = _add(
    "AttemptsExhausted",
    "Every attempt ended without a result.",
    "Author",
    "Read the Pods' logs; set the annotation tweetbot.dev/retrain-at to try again.",
)
NODE_LOST = _add(
    "NodeLost",
    "The Pod's node no longer answers, so the Pod cannot end.",
    "Platform",
    "Delete the Node, or force-delete the Pod; the operator never does.",
)

# ---- the trainer said it
GATE_FAILED = _add(
    "GateFailed",
    "The model was trained and misses a gate of spec.evaluation.gates; it is kept beside and not published.",
    "Author",
    "Give the run more or other posts, or train less; or loosen the gate, and the model is published as it is.",
)
SPEC_REFUSED = _add("SpecRefused", "The trainer cannot do what the spec asks.", "Author", "See the message.")
NOT_AUTHORIZED = _add(
    "NotAuthorized",
    "S3 refuses the credentials.",
    "Author",
    "Correct the Secret or its permissions, then set the annotation tweetbot.dev/retrain-at.",
)
BUCKET_NOT_FOUND = _add(
    "BucketNotFound",
    "The bucket does not exist.",
    "Author",
    "Create it and set the annotation tweetbot.dev/retrain-at, or correct the address.",
)
SOURCE_NOT_FOUND = _add(
    "SourceNotFound",
    "A source's file does not exist.",
    "Author",
    "Upload it and set the annotation tweetbot.dev/retrain-at, or correct sources[].uri.",
)
SOURCE_UNREADABLE = _add(
    "SourceUnreadable",
    "A source's file is not what it should be.",
    "Author",
    "Upload the file as it was downloaded; the message names the member or line.",
)
SOURCE_TOO_LARGE = _add(
    "SourceTooLarge",
    "A source unpacks to more than is allowed (a zip bomb looks like this).",
    "Author",
    "Upload the export as it was downloaded.",
)
SOURCE_TRUNCATED = _add(
    "SourceTruncated",
    "A source's archive ends too early.",
    "Author",
    "Compare its size with what you downloaded, upload it whole, then set the annotation tweetbot.dev/retrain-at.",
)
SOURCE_ENCRYPTED = _add(
    "SourceEncrypted",
    "A source's archive is locked by a password.",
    "Author",
    "Unpack it and pack it again without one, or upload the export as it was downloaded.",
)
SOURCE_NESTED = _add(
    "SourceNested",
    "A source's archive holds another archive in place of posts.",
    "Author",
    "Upload the inner archive itself; the message names it.",
)
SOURCE_INCOMPLETE = _add(
    "SourceIncomplete",
    "A source's archive lacks a part of the export.",
    "Author",
    "Put all parts into one zip; the message names what is missing.",
)
SOURCE_NOT_AN_EXPORT = _add(
    "SourceNotAnExport",
    "A source's archive holds no posts.",
    "Author",
    "Upload the export as it was downloaded; for other files use the source of their kind.",
)
TOO_FEW_POSTS = _add(
    "TooFewPosts",
    "Less than 6,000 characters of posts are left after cleaning.",
    "Author",
    "Give a source with more posts, or relax spec.filter.",
)
BASE_MODEL_NOT_FOUND = _add(
    "BaseModelNotFound", "The base model does not exist.", "Author", "Correct spec.model.base or revision."
)
BASE_MODEL_REFUSED = _add(
    "BaseModelRefused",
    "The base is not a GPT-2 in safetensors, or is damaged.",
    "Author",
    "Give a GPT-2 whose folder holds config.json, model.safetensors and tokenizer.json.",
)
DIVERGED = _add(
    "Diverged", "The loss is no longer a number.", "Author", "Lower spec.training.learningRate, or leave it unset."
)
ACCOUNT_NOT_FOUND = _add(
    "AccountNotFound", "There is no such account.", "Author", "Correct sources[].x.handle or sources[].bluesky.actor."
)
ACCOUNT_SUSPENDED = _add("AccountSuspended", "The account is suspended.", "Author", "Use another source.")
ACCOUNT_PROTECTED = _add(
    "AccountProtected", "The account is not open to all.", "Author", "Use the owner's own export instead."
)
X_NOT_AUTHORIZED = _add(
    "XNotAuthorized",
    "X refuses the token.",
    "Author",
    "Put a valid bearer token into the Secret, then set the annotation tweetbot.dev/retrain-at.",
)
X_FORBIDDEN = _add(
    "XForbidden",
    "X accepts the token but does not let its app read this.",
    "Author",
    "In X's console attach the app to a project that may read posts, then set the annotation tweetbot.dev/retrain-at.",
)
CREDITS_DEPLETED = _add(
    "CreditsDepleted",
    "The X account that pays has no credits left.",
    "Author",
    "Buy credits, then set the annotation tweetbot.dev/retrain-at.",
)
USAGE_CAPPED = _add(
    "UsageCapped",
    "The X app has reached its monthly cap.",
    "Author",
    "Wait for the new month, then set the annotation tweetbot.dev/retrain-at.",
)
SPEND_LIMIT_REACHED = _add(
    "SpendLimitReached",
    "Reading maxPosts posts would cost more than maxSpendUSD allows; the message says how much more.",
    "Author",
    "Raise sources[].x.maxSpendUSD or lower maxPosts. Pages that were paid for are kept and are not paid for again.",
)
RATE_LIMITED = _add("RateLimited", "A source's server asks to wait; the message says until when.")
X_UNAVAILABLE = _add("XUnavailable", "X does not answer, or answers with a server's error.")
BLUESKY_UNAVAILABLE = _add("BlueskyUnavailable", "Bluesky's server does not answer.")
BLUESKY_BAD_PAYLOAD = _add(
    "BlueskyBadPayload",
    "Bluesky's answers are not as documented; another server may answer in its place.",
    "Author",
    "It is tried again unaided. If it stays, check sources[].bluesky.apiBaseURL and the proxy on the way.",
)
X_BAD_PAYLOAD = _add(
    "XBadPayload",
    "X's answers are not as documented; another server may answer in its place.",
    "Author",
    "It is tried again unaided. If it stays, check sources[].x.apiBaseURL and the proxy on the way.",
)
STORAGE_UNAVAILABLE = _add("StorageUnavailable", "S3 does not answer.")
MODEL_HUB_UNAVAILABLE = _add("ModelHubUnavailable", "The Hugging Face Hub does not answer.")
DISK_FULL = _add("DiskFull", "The Pod's disk is full.", "Platform", "Give the node more ephemeral storage.")
STOPPED = _add("Stopped", "The Pod was asked to end; another one goes on.")
TRAINER_BUG = _add(
    "TrainerBug", "The trainer met something it does not know.", "Platform", "Report the Pod's log to the project."
)

ALL: tuple[Reason, ...] = tuple(_ALL)
BY_NAME: dict[str, Reason] = {reason.name: reason for reason in ALL}
