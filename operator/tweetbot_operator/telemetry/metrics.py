"""The metrics, named as in controller-runtime; only metrics of active runs have a label per TweetBot.

A tenant's namespace is the label `bot_namespace`: Prometheus uses `namespace` for the operator's own.
"""

import importlib.metadata
import platform

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("tweetbot_reconcile", "Reconciles of a TweetBot by result.", ["result"])
RECONCILE_SECONDS = Histogram("tweetbot_reconcile_duration_seconds", "Seconds of one reconcile.")
QUEUE_DEPTH = Gauge("tweetbot_workqueue_depth", "TweetBots that wait for a worker.")
QUEUE_SECONDS = Histogram("tweetbot_queue_latency_seconds", "Seconds that a TweetBot waited for a worker.")
RETRIES = Counter("tweetbot_retries", "Reconciles that failed and are repeated after a pause.")
CACHE_OBJECTS = Gauge("tweetbot_cache_objects", "Objects that the cache holds.", ["kind"])
RESYNC_DRIFT = Counter("tweetbot_resync_drift", "Objects that a watch had lost and the resync found.", ["kind"])
STATUS_WRITES = Counter("tweetbot_status_writes", "Statuses written.")
JOB_WRITES = Counter("tweetbot_job_writes", "Jobs created and deleted.", ["verb"])
ORPHANED_JOBS = Gauge("tweetbot_orphaned_jobs", "Jobs whose TweetBot is gone; each is deleted within ten minutes.")
RUNS = Gauge(
    "tweetbot_runs",
    "TweetBots by namespace, the phase of their run, and why they are in it.",
    ["bot_namespace", "phase", "reason"],
)
RUNS_FINISHED = Counter(
    "tweetbot_runs_finished",
    "Runs that ended, by namespace, outcome and reason.",
    ["bot_namespace", "outcome", "reason"],
)
WAIT_START = Gauge(
    "tweetbot_wait_start_timestamp_seconds",
    "Unix time at which the longest present wait of a run began, by namespace and reason; absent where none waits.",
    ["bot_namespace", "reason"],
)
FORGET_DEADLINE = Gauge(
    "tweetbot_forget_deadline_timestamp_seconds",
    "Unix time by which the oldest open request to forget posts must be fulfilled, by namespace; absent without one.",
    ["bot_namespace"],
)
RUN_SECONDS = Histogram(
    "tweetbot_run_duration_seconds",
    "Seconds from the record of a run to its end.",
    ["outcome"],
    buckets=(10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400),
)
API_REQUESTS = Counter(
    "tweetbot_apiserver_requests", "Requests to the API server; code 0 is no answer.", ["verb", "code"]
)
API_SECONDS = Histogram("tweetbot_apiserver_request_duration_seconds", "Seconds of one request.", ["verb"])
CLOCK_SKEW = Gauge(
    "tweetbot_clock_skew_seconds", "Seconds by which the operator's clock is behind the API server's; negative: ahead."
)
LEADER = Gauge("tweetbot_leader", "1 while this replica reconciles, 0 while it stands by.")
LEASE_TRANSITIONS = Gauge("tweetbot_lease_transitions", "How often the Lease has changed hands.")
GPU_SECONDS = Counter(
    "tweetbot_gpu_seconds", "Seconds that trainings held GPUs, by namespace.", ["bot_namespace", "resource"]
)
POSTS_BILLED = Counter(
    "tweetbot_posts_billed",
    "Posts that prepared runs paid for, by namespace and kind of source.",
    ["bot_namespace", "source"],
)
POSTS_LOST = Counter(
    "tweetbot_posts_lost",
    "Posts that prepared runs lost, by namespace and cause: not in the source that claims them (missing), damaged "
    "(unreadable), without their end (truncated).",
    ["bot_namespace", "cause"],
)
BUDGET_USED = Gauge(
    "tweetbot_budget_used_ratio",
    "Share of a class's budget that runs of its window have used or, while active, hold; by class, namespace (empty "
    "where all share it), kind of use and hours of the window. Namespaces that have used nothing are absent.",
    ["bot_class", "bot_namespace", "kind", "window_hours"],
)
WATCH_RESTARTS = Counter(
    "tweetbot_watch_restarts",
    "Watches that were opened again, and why: Expired, Silent, Failed, Restored.",
    ["resource", "cause"],
)
PROGRESS_POLLS = Counter("tweetbot_progress_polls", "Polls of Pods for their progress by outcome.", ["outcome"])
#: Series that alerts use exist from the start with 0: `increase` does not see a series that begins at 1. Those with a
#: tenant's namespace cannot, and alerts count the first value of such a series.
RECONCILES.labels(result="bug")
PROGRESS_POLLS.labels(outcome="Succeeded")
BUILD_INFO = Gauge(
    "tweetbot_build_info", "1, with the versions that this replica runs.", ["version", "python_version", "kopf_version"]
)
BUILD_INFO.labels(
    version=importlib.metadata.version("tweetbot-operator"),
    python_version=platform.python_version(),
    kopf_version=importlib.metadata.version("kopf"),
).set(1)
_LIVE = ("bot_namespace", "bot")
RUN_PERCENT = Gauge("tweetbot_run_progress_percent", "Percent of a training that is done; active runs only.", _LIVE)
RUN_ETA_SECONDS = Gauge("tweetbot_run_eta_seconds", "Seconds that a training will still take; active runs only.", _LIVE)
RUN_STEP = Gauge("tweetbot_run_step", "Steps that a training has done; active runs only.", _LIVE)
RUN_TRAIN_LOSS = Gauge("tweetbot_run_train_loss", "Latest training loss, nats per token; active runs only.", _LIVE)
RUN_EVAL_LOSS = Gauge("tweetbot_run_eval_loss", "Latest validation loss, nats per token; active runs only.", _LIVE)
