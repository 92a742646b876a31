"""What Prometheus reads: names as other controllers have them, no label that grows with the number of TweetBots."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("tweetbot_reconcile", "Passes over a TweetBot by how they ended.", ["result"])
RECONCILE_SECONDS = Histogram("tweetbot_reconcile_duration_seconds", "Seconds of one pass.")
QUEUE_DEPTH = Gauge("tweetbot_workqueue_depth", "TweetBots that wait for a worker.")
QUEUE_SECONDS = Histogram("tweetbot_queue_latency_seconds", "Seconds that a TweetBot waited for a worker.")
RETRIES = Counter("tweetbot_retries", "Passes that failed and are tried again after a pause.")
CACHE_OBJECTS = Gauge("tweetbot_cache_objects", "Objects that the cache holds.", ["kind"])
RESYNC_DRIFT = Counter("tweetbot_resync_drift", "Objects that a watch had lost and the resync found.", ["kind"])
STATUS_WRITES = Counter("tweetbot_status_writes", "Statuses written.")
JOB_WRITES = Counter("tweetbot_job_writes", "Jobs created and deleted.", ["verb"])
RUNS = Gauge("tweetbot_runs", "TweetBots by the phase of their run.", ["phase"])
RUNS_FINISHED = Counter("tweetbot_runs_finished", "Runs that ended, by outcome and reason.", ["outcome", "reason"])
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
