"""Every reason of a condition, a run or a termination message; docs/troubleshooting.md is rendered from this table."""

from tweetbot_contract.reasons.forgetting import *  # noqa: F403 - a part of this table
from tweetbot_contract.reasons.platform import *  # noqa: F403 - a part of this table
from tweetbot_contract.reasons.pod import *  # noqa: F403 - a part of this table
from tweetbot_contract.reasons.reason import FORCE as _FORCE
from tweetbot_contract.reasons.reason import LASTING_SECONDS as LASTING_SECONDS
from tweetbot_contract.reasons.reason import RETRAIN as _RETRAIN
from tweetbot_contract.reasons.reason import Actor as Actor
from tweetbot_contract.reasons.reason import Reason as Reason
from tweetbot_contract.reasons.reason import ask_author as _ask_author
from tweetbot_contract.reasons.reason import ask_platform as _ask_platform
from tweetbot_contract.reasons.source import *  # noqa: F403 - a part of this table
from tweetbot_contract.reasons.storage import *  # noqa: F403 - a part of this table

# ---- states of a run that is going on or has ended well
WAITING_FOR_OPERATOR = Reason(
    "WaitingForOperator",
    "Waiting for the operator.",
    "If it lasts for more than a minute, have the platform team look whether the operator runs, and whether it watches "
    "this namespace (TWEETBOT_NAMESPACES).",
)
QUEUED = Reason(
    "Queued",
    "Waiting for a free slot.",
    "Nothing to do: the run starts when the operator has a slot for it, or when its Kueue queue admits its Job.",
)
KUEUE_NOT_FOUND = _ask_author(
    "KueueNotFound",
    "The spec names a queue, and the cluster has no Kueue, so nobody admits the Job.",
    "Remove spec.scheduling.queueName and queuePrepare, or have the platform team install Kueue, or take the queue out "
    "of the TweetBotClass that names it. The run then starts by itself.",
)
PREPARING = Reason("Preparing", "Fetching and cleaning posts.", steady=True)
TRAINING = Reason("Training", "Fine-tuning the model.", steady=True)
SUCCEEDED = Reason("Succeeded", "The model is published.", "Nothing to do: the model is ready to serve.", steady=True)
ADOPTED = Reason(
    "Adopted",
    "The model of this dataset and training is published already; on the same hardware and image, another would be the "
    "same to the bit. Force one by tweetbot.dev/force-at.",
    f"Nothing to do. To train all the same, {_FORCE}.",
    steady=True,
)
NOTHING_NEW = Reason(
    "NothingNew",
    "The scheduled run found fewer new posts than spec.schedule.minNewPosts. The model stays as it is.",
    "Nothing to do: the schedule starts the next run.",
    steady=True,
)
PINNED = _ask_author(
    "Pinned",
    "spec.pin names the version that is served, whatever later runs publish.",
    "Nothing to do. Remove spec.pin to serve the newest version that passed its gates.",
    steady=True,
)
PINNING = Reason(
    "Pinning", "spec.pin has changed: latest.json is being moved.", "Nothing to do.", if_it_lasts="Platform"
)
SUSPENDED = _ask_author(
    "Suspended", "spec.suspend is true.", "Set spec.suspend to false to resume the run.", steady=True
)
NOT_SUSPENDED = Reason("NotSuspended", "spec.suspend is false.", "Nothing to do.", steady=True)
EVICTED = Reason(
    "Evicted",
    "The Pod had to leave its node, or its Kueue queue needed the capacity. The run resumes from its last checkpoint.",
)
PREEMPTED_TOO_OFTEN = _ask_platform(
    "PreemptedTooOften",
    "The Pod had to leave its node 20 times. The operator creates the Job again after a pause.",
    "The run continues by itself. A higher spec.scheduling.priorityClassName, or nodes that stay, would speed it up.",
)
ERASING = Reason(
    "Erasing", "Erasing the TweetBot's objects in S3 before it is deleted.", "Nothing to do.", if_it_lasts="Platform"
)
ERASURE_GIVEN_UP = _ask_author(
    "ErasureGivenUp",
    "The TweetBot was deleted, its objects in S3 were not.",
    "Erase what the message names by hand.",
    steady=True,
)
SUPERSEDED = Reason(
    "Superseded", "The spec was edited, and another run has replaced this one.", "Nothing to do.", steady=True
)
WAITING_FOR_PREVIOUS_POD = Reason(
    "WaitingForPreviousPod", "Waiting for a Job or Pod of an earlier run to end.", if_it_lasts="Platform"
)
RETRY_BACKOFF = Reason(
    "RetryBackoff",
    "A temporary failure ended the Job. The operator creates it again after a pause.",
    if_it_lasts="Platform",
)
RESULT_LOST = Reason(
    "ResultLost", "The Job's result disappeared before it was read. The stage runs again.", if_it_lasts="Platform"
)
NO_MODEL = Reason("NoModel", "No model has been published yet.", steady=True)
DATASET_READY = Reason("DatasetReady", "The dataset is stored in S3.", "Nothing to do.", steady=True)
NO_DATASET = Reason("NoDataset", "No dataset has been prepared yet.", steady=True)
ACCEPTED = Reason("Accepted", "The spec is valid.", "Nothing to do.", steady=True)
TRACKED = Reason("Tracked", "Tracking works as the spec asks.", "Nothing to do.", steady=True)
TRACKING_DEGRADED = _ask_author(
    "TrackingDegraded",
    "Weights & Biases tracked less than the spec asks for. The run is not affected.",
    "Look at the condition's message: the key is missing or wrong, or the server is unreachable. The metrics file is "
    "in S3, and `tweetbot-trainer sync` sends the run later: once there is a model, the message has the command.",
    steady=True,
)

# ---- found by the operator
INVALID_SPEC = _ask_author("InvalidSpec", "The stored spec breaks a rule.", "Correct the field that the message names.")
NAME_CONFLICT = _ask_author(
    "NameConflict",
    "A Job with the name that the run needs exists and does not belong to the operator.",
    "Delete or rename that Job; the operator never touches it.",
)
JOB_MUTATED = _ask_platform(
    "JobMutated",
    "A policy, a webhook or a person changed a field by which the operator knows its Jobs and Pods, or one that the "
    "run depends on.",
    "Exempt Jobs and Pods with the label app.kubernetes.io/managed-by=tweetbot-operator from the policy; kubectl get "
    "mutatingwebhookconfigurations,mutatingadmissionpolicies lists what may have done it. A run that has not started "
    f"then starts by itself within ten minutes, or at once if you {_RETRAIN}.",
)
JOB_KEPT = _ask_platform(
    "JobKept",
    "A Job was deleted and its Pods have ended, but it does not go, so nothing may take its place.",
    "Have what set its finalizers remove them, or repair the cluster's garbage collector. The run then continues by "
    "itself.",
)
JOB_LOST_TOO_OFTEN = _ask_author(
    "JobLostTooOften",
    "The stage's Job was created five times in quick succession: something deletes it or its result, or the spec is "
    "edited or suspended again and again.",
    "Look for what deletes Jobs or Pods in the namespace, or let the spec rest. The operator creates the next Job at "
    "the time that the message names; the pauses grow from ten minutes to four hours.",
)
JOB_REFUSED = _ask_author(
    "JobRefused",
    "The API server rejects the Job: a quota, admission, or an invalid value.",
    "Correct what the message names; the operator retries with growing pauses. If it names a field that no TweetBot "
    "sets, a mutating policy has changed the Job, and must leave it alone.",
)
ADMISSION_UNAVAILABLE = _ask_platform(
    "AdmissionUnavailable",
    "An admission webhook for Jobs does not answer, or the API server breaks off, so no Job is created.",
    "The operator retries at least every minute. If it lasts, look at the Pods of the webhook that the message names, "
    "or at what lies between the operator and the API server.",
)
STATUS_REFUSED = _ask_platform(
    "StatusRefused",
    "The API server rejects the status, or fails to write it every time with the same error.",
    "Change the policy, webhook or permission that the message names. If a field is not declared in the schema, "
    "upgrade the CRD; else report it. The operator retries with pauses.",
)
STATUS_CHANGED = _ask_platform(
    "StatusChanged",
    "A policy or a webhook changes the status that the operator writes.",
    "Exempt tweetbots/status from what changes it. A run that is not stored as sent waits.",
)
FINALIZER_REFUSED = _ask_platform(
    "FinalizerRefused",
    "The API server does not let the operator add or remove the finalizer of deletionPolicy: Delete. Until it does, "
    "nothing else happens.",
    "Change the policy, webhook or permission that the message names. The operator retries with pauses.",
)

# ---- reported by the trainer
GATE_FAILED = _ask_author(
    "GateFailed",
    "The trained model fails a gate of spec.evaluation.gates. It is stored but not published.",
    "The message says by how much, and what helps. If you loosen the gate, this model is published as it is.",
)
GATE_NOT_MEASURABLE = _ask_author(
    "GateNotMeasurable",
    "spec.evaluation.gates sets a limit, and there is too little to measure whether the trained model is within it. "
    "It is stored but not published.",
    "The message says what is missing. If you remove or loosen the gate, this model is published as it is.",
)
GATE_ADVISORY = _ask_author(
    "GateAdvisory",
    "The served model misses a gate that is on by default, on too little evidence to keep it back.",
    "Read some samples before you rely on the model. A gate that you set in spec.evaluation.gates binds.",
    steady=True,
)
TRAINING_ADVISORY = _ask_author(
    "TrainingAdvisory",
    "The training did something less than the spec asks for; the model is not worse for it.",
    "Do what the message says.",
    steady=True,
)
PINNED_VERSION_NOT_FOUND = _ask_author(
    "PinnedVersionNotFound",
    "The version that spec.pin names is not in the bucket, or is being erased as older than spec.history.models keeps.",
    "Write a version into spec.pin that `tweetbot-trainer history` lists, or remove spec.pin.",
)
PINNED_VERSION_UNUSABLE = _ask_author(
    "PinnedVersionUnusable",
    "The version that spec.pin names failed a gate, or is damaged.",
    "Write a version into spec.pin that `tweetbot-trainer history` shows as published, or remove spec.pin. "
    "`tweetbot-trainer verify` shows what is damaged.",
)
SPEC_REFUSED = _ask_author("SpecRefused", "The trainer cannot do what the spec asks.", "See the message.")
NOT_AUTHORIZED = _ask_author(
    "NotAuthorized", "S3 rejects the credentials.", f"Correct the Secret or its permissions, then {_RETRAIN}."
)
PREFIX_OWNED = _ask_author(
    "PrefixOwned",
    "The folder in the bucket belongs to a TweetBot of another cluster. This one may serve models from it, but may not "
    "train new ones, move latest.json or erase anything.",
    "Delete the other TweetBot, or take the folder over: set the annotation tweetbot.dev/take-over-prefix to the uid "
    "that the message names. While no model is published, you may also choose another spec.output.s3.uri.",
)
BUCKET_NOT_FOUND = _ask_author(
    "BucketNotFound",
    "The bucket does not exist.",
    f"Create it and {_RETRAIN}, or correct the field that the message names.",
)
TOO_FEW_POSTS = _ask_author(
    "TooFewPosts",
    "Cleaning left fewer than 6,000 characters.",
    "Use a source with more posts, or have spec.filter drop less.",
)
BASE_MODEL_NOT_FOUND = _ask_author(
    "BaseModelNotFound", "The base model does not exist.", "Correct spec.model.base or spec.model.revision."
)
BASE_MODEL_REFUSED = _ask_author(
    "BaseModelRefused",
    "The base is not a GPT-2 in safetensors, or it is damaged.",
    "Use a GPT-2 whose folder holds config.json, model.safetensors and tokenizer.json.",
)
BASE_MODEL_TOO_LARGE = _ask_author(
    "BaseModelTooLarge",
    "Training the base takes more memory than spec.resources.memory allows.",
    "Set spec.resources.memory to what the message says, use spec.model.method: LoRA, or choose a smaller base.",
)
ACCELERATOR_UNUSABLE = _ask_platform(
    "AcceleratorUnusable",
    "The training asked for a GPU, and torch cannot use the one that its Pod was given.",
    "Have the image, the node's driver or its device plugin mended, as the message says. A node's fault is retried, on "
    "other nodes if there are any. Or set spec.resources.gpu.count to 0 to train on the CPU.",
)
DIVERGED = _ask_author(
    "Diverged", "The loss is no longer a number.", "Lower spec.training.learningRate, or leave it unset."
)
ACCOUNT_NOT_FOUND = _ask_author(
    "AccountNotFound", "The account does not exist.", "Correct spec.sources[].x.handle or spec.sources[].bluesky.actor."
)
ACCOUNT_SUSPENDED = _ask_author("AccountSuspended", "The account is suspended.", "Use another source.")
ACCOUNT_PROTECTED = _ask_author("AccountProtected", "The account is not public.", "Use the owner's own export instead.")
X_NOT_AUTHORIZED = _ask_author(
    "XNotAuthorized", "X rejects the token.", f"Put a valid bearer token into the Secret, then {_RETRAIN}."
)
X_FORBIDDEN = _ask_author(
    "XForbidden",
    "X accepts the token but does not let its app read these posts.",
    f"In X's console attach the app to a project that may read posts, then {_RETRAIN}.",
)
CREDITS_DEPLETED = _ask_author(
    "CreditsDepleted", "The X account that pays has no credits left.", f"Buy credits, then {_RETRAIN}."
)
USAGE_CAPPED = _ask_author(
    "UsageCapped", "The X app has reached its monthly cap.", f"Wait for the next month, then {_RETRAIN}."
)
SPEND_LIMIT_REACHED = _ask_author(
    "SpendLimitReached",
    "Reading maxPosts posts would cost more than maxSpendUSD allows; the message says how much more.",
    "Raise spec.sources[].x.maxSpendUSD or lower spec.sources[].x.maxPosts. Pages already paid for are kept and not "
    "paid for again.",
)
RATE_LIMITED = Reason("RateLimited", "A source's server asks the trainer to wait; the message says until when.")
X_UNAVAILABLE = Reason(
    "XUnavailable",
    "X does not answer, or answers with an error that names no problem of the account, token or request.",
)
BLUESKY_UNAVAILABLE = Reason("BlueskyUnavailable", "Bluesky does not answer, or with an error that names no problem.")
BLUESKY_BAD_PAYLOAD = _ask_author(
    "BlueskyBadPayload",
    "Bluesky's answers are not as documented; perhaps another server answers in its place.",
    "The operator retries the run. If it lasts, check spec.sources[].bluesky.apiBaseURL and any proxy in between.",
)
X_BAD_PAYLOAD = _ask_author(
    "XBadPayload",
    "X's answers are not as documented; perhaps another server answers in its place.",
    "The operator retries the run. If it lasts, check spec.sources[].x.apiBaseURL and any proxy in between.",
)
STORAGE_UNAVAILABLE = Reason(
    "StorageUnavailable", "S3 does not answer, or with an error that names no known problem.", if_it_lasts="Platform"
)
MODEL_HUB_UNAVAILABLE = Reason(
    "ModelHubUnavailable",
    "The Hugging Face Hub does not answer, or with an error that names no problem.",
    if_it_lasts="Platform",
)
DISK_FULL = _ask_platform("DiskFull", "The Pod's disk is full.", "Give the node more ephemeral storage.")
STOPPED = Reason("Stopped", "The Pod was asked to stop; another one continues.", if_it_lasts="Platform")
TRAINER_BUG = _ask_platform(
    "TrainerBug", "The trainer met an unexpected error.", "Report the Pod's log to the project."
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
BY_NAME: dict[str, Reason] = {reason.name: reason for reason in ALL}
