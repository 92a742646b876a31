"""Which tests play which rows: the row, the file below tests/, and a pattern of the tests' names."""

from dataclasses import dataclass

_OPERATOR, _TRAINER = "unit/tweetbot_operator", "unit/tweetbot_trainer"
_X, _ARCHIVE = f"{_TRAINER}/data/sources/x_api", f"{_TRAINER}/data/sources/x_archive"


@dataclass(frozen=True)
class Case:
    """Tests of one file that play one row."""

    row: int
    file: str
    pattern: str = "."


UNIT = (
    Case(5, f"{_OPERATOR}/client/test_leader_election.py", "two_never|stands_by|must_be|in_its_place"),
    Case(13, f"{_OPERATOR}/client/test_leader_election.py", "stopped|cannot_renew|ends_before|hangs|dead_leader"),
    Case(14, f"{_OPERATOR}/reconciler/test_admission.py"),
    Case(14, f"{_OPERATOR}/jobs/test_mutations.py"),
    Case(14, f"{_OPERATOR}/reconciler/test_creations.py"),
    Case(20, f"{_OPERATOR}/decisions/test_why_it_waits.py"),
    Case(21, "unit/tweetbot_contract/test_crd.py", "crosses_a_namespace"),
    Case(23, f"{_TRAINER}/cli/test_stage.py", "secret"),
    Case(23, f"{_X}/test_source.py", "no_token"),
    Case(24, f"{_TRAINER}/learning/model/test_base.py", "cannot_be_used|nothing_but_the_three|panics"),
    Case(24, f"{_TRAINER}/learning/model/test_hub.py", "pickle"),
    Case(25, f"{_TRAINER}/learning/checkpoints/test_manager.py", "damaged|skipped|invalid"),
    Case(26, f"{_TRAINER}/learning/checkpoints/test_manager.py", "unavailable|newest_two|restored"),
    Case(32, f"{_X}/test_transport.py", "limit|reset"),
    Case(33, f"{_X}/test_source.py", "refusal|shows_nothing|page_that_is_none|no_post|circle|endless|lookup"),
    Case(33, f"{_X}/test_transport.py", "fault|silent|trickles|too_large|takes_too_long|redirect"),
    Case(33, f"{_X}/test_client.py", "fault|redirect|silent|too_large"),
    Case(34, f"{_X}/test_timeline.py", "retry|interrupted|killed|whatever"),
    Case(34, f"{_TRAINER}/stages/test_prepare_x.py", "retry|killed|not_paid_for_again|lasts"),
    Case(35, f"{_TRAINER}/publishing/tracking/test_tracking.py", "dies|refuses|says_nothing|missing|without_a_key"),
    Case(35, f"{_TRAINER}/publishing/tracking/test_mode.py", "hangs|no_end|other_than|redirect"),
    Case(36, f"{_TRAINER}/runtime/test_termination.py", "disk"),
    Case(37, f"{_OPERATOR}/decisions/pods/test_causes.py"),
    Case(39, f"{_OPERATOR}/decisions/test_retries.py"),
    Case(42, f"{_OPERATOR}/informers/test_restore.py"),
    Case(48, f"{_TRAINER}/publishing/tracking/test_tracking.py", "key_that_is_missing"),
    Case(49, f"{_OPERATOR}/reconciler/test_clock_skew.py"),
    Case(49, f"{_OPERATOR}/client/test_leader_election.py", "wall_clock"),
    Case(51, f"{_OPERATOR}/reconciler/test_fairness.py"),
    Case(52, f"{_OPERATOR}/informers/test_workqueue.py"),
    Case(54, f"{_OPERATOR}/decisions/test_restored.py"),
    Case(54, f"{_OPERATOR}/reconciler/test_orphans.py"),
    Case(56, f"{_TRAINER}/publishing/registry/test_ownership.py"),
    Case(56, f"{_TRAINER}/cli/test_two_clusters.py"),
    Case(56, f"{_TRAINER}/cli/test_cleanup.py", "outside|slash|beside"),
    Case(57, f"{_TRAINER}/runtime/test_egress.py"),
    Case(57, f"{_TRAINER}/runtime/test_http.py"),
    Case(57, f"{_TRAINER}/runtime/test_certificates.py"),
    Case(59, f"{_TRAINER}/publishing/report/test_markdown.py"),
    Case(59, f"{_TRAINER}/publishing/report/test_card.py", "foreign"),
    Case(59, f"{_TRAINER}/stages/test_callbacks.py", "forge"),
    Case(60, f"{_ARCHIVE}/test_members.py", "claims|twice|zip|method|damaged|flipped"),
    Case(60, f"{_TRAINER}/data/sources/mastodon/test_tar_gz.py", "bomb|claims|memory|damaged|cut"),
    Case(60, f"{_TRAINER}/data/sources/test_json_array.py", "nested|without_end|damage"),
    Case(61, f"{_OPERATOR}/client/test_requests.py", "not_json|does_not_answer"),
    Case(63, f"{_OPERATOR}/telemetry/test_health.py"),
    Case(65, f"{_OPERATOR}/decisions/test_failures.py"),
    Case(65, f"{_TRAINER}/runtime/test_termination.py", "failure|memory|unforeseen"),
    Case(66, f"{_TRAINER}/data/sources/test_properties.py"),
    Case(66, f"{_OPERATOR}/decisions/test_any_order.py"),
    Case(67, f"{_OPERATOR}/progress/test_client.py"),
    Case(67, f"{_OPERATOR}/progress/test_poller.py", "something_else|does_not_answer|silent"),
    Case(67, "unit/tweetbot_contract/test_result.py", "long|traceback|not_finite|not_add_up"),
    Case(68, f"{_TRAINER}/learning/training/test_loop.py", "not_finite|few_posts"),
    Case(69, f"{_TRAINER}/learning/model/test_base.py", "replaced|cannot_be_used"),
    Case(69, f"{_TRAINER}/learning/model/test_hub.py", "bytes_that|nobody_at|full_disk"),
    Case(71, f"{_OPERATOR}/decisions/test_usage.py"),
    Case(71, f"{_OPERATOR}/decisions/pods/test_between_pods.py"),
)
_LIVE = "integration/operator"
INTEGRATION = (
    Case(3, "integration/trainer/test_killed_training.py"),
    Case(4, "integration/trainer/test_interrupted_stages.py", "sigterm|stopped|shared_memory"),
    Case(68, "integration/trainer/test_interrupted_stages.py", "fault"),
    Case(7, f"{_LIVE}/test_operator_faults.py", "expired|refused_watches|end_lose"),
    Case(50, f"{_LIVE}/test_operator_faults.py", "silent"),
    Case(8, f"{_LIVE}/test_operator_faults.py", "lost_deletion"),
    Case(6, f"{_LIVE}/test_operator_faults.py", "outage|refused_writes"),
    Case(5, f"{_LIVE}/test_operator_alone.py", "side_by_side"),
    Case(12, f"{_LIVE}/test_operator_alone.py", "standby"),
    Case(47, f"{_LIVE}/test_operator_alone.py", "refuses_the_pod"),
    Case(13, f"{_LIVE}/test_two_operators.py"),
    Case(42, f"{_LIVE}/test_restore.py"),
    Case(44, f"{_LIVE}/test_operator_lifecycle.py", "namespace|foreground|finalizer"),
    Case(46, f"{_LIVE}/test_operator_rights.py", "missing_right|may_read_no_secret|without_the_right"),
    Case(41, f"{_LIVE}/test_operator_runs.py", "outage"),
    Case(47, f"{_LIVE}/test_operator_runs.py", "quota|webhook"),
    Case(48, f"{_LIVE}/test_operator_runs.py", "secret"),
    Case(54, f"{_LIVE}/test_operator_runs.py", "exported"),
    Case(55, f"{_LIVE}/test_operator_runs.py", "stranger"),
    Case(14, f"{_LIVE}/test_operator_runs.py", "suspends_or_deletes"),
    Case(20, f"{_LIVE}/test_operator_runs.py", "no_node_can_take"),
    Case(58, f"{_LIVE}/test_operator_runs.py", "restricted"),
    Case(53, "integration/install/test_crd_admission.py", "malformed|unknown|name_that"),
    Case(21, "integration/install/test_admission_policies.py", "manifest_passes"),
    Case(22, "integration/install/test_admission_policies.py", "editors|leaves_the_spec"),
)
