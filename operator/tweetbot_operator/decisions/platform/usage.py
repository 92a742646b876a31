"""What a run uses of its class's budgets, as its status records it. The figures only grow; they count once, by run."""

from dataclasses import replace

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.usage import RunUsage
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.failures import parse_failure
from tweetbot_operator.decisions.run import compute_uncounted_gpu_time
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.types.objects import Observed
from tweetbot_operator.types.stage_state import AttemptFailed, Failed, PrepareComplete, RetryableFailure
from tweetbot_operator.types.times import format_time
from tweetbot_operator.types.usage import Expectation


def begin_usage(run: CurrentRun, class_name: str, expected: Expectation, observed: Observed) -> CurrentRun:
    """Return the run as it begins now, or begins again after its end; one that has begun stays as it is."""
    usage = run.usage or RunUsage(class_name=class_name)
    if usage.began_at:
        return run
    begun = {
        "began_at": format_time(observed.now),
        "starts": usage.starts + 1,
        "expected_gpu_seconds": usage.gpu_seconds + expected.gpu_seconds,
        "expected_x_usd": round(usage.x_usd + expected.x_price / X_DOLLAR, 3),
    }
    return run.model_copy(update={"usage": usage.model_copy(update=begun)})


def charge_usage(run: CurrentRun, stage: Stage) -> CurrentRun:
    """Return the stage's run with what its status has just gained: GPU seconds of Pods, and posts paid for."""
    usage = run.usage
    if usage is None:
        return run
    gpus = stage.bot.spec.resources.gpu.count if run.stage == "Train" else 0
    gained = (run.ran_seconds - stage.run.ran_seconds) * gpus
    spent = _compute_spent(stage) / X_DOLLAR  # of all attempts of the run
    used = {"gpu_seconds": usage.gpu_seconds + max(gained, 0), "x_usd": max(usage.x_usd, spent)}
    return run.model_copy(update={"usage": usage.model_copy(update=used)})


def _compute_spent(stage: Stage) -> int:
    """Return the price of the posts that the stage has paid for until it ended, in tenths of a US cent."""
    match stage.state:
        case PrepareComplete(result):
            bills = [result.billed]
        case Failed() | RetryableFailure() | AttemptFailed() if stage.run.stage == "Prepare":
            bills = [said.billed for pod in stage.pods if (said := parse_failure(pod.message))]
        case _:
            bills = []
    return max((bill.get("x", 0) for bill in bills if bill), default=0) * X_POST_PRICE


def settle_usage(bot: TweetBot, run: CurrentRun, observed: Observed) -> tuple[TweetBot, CurrentRun]:
    """Charge to the recorded run what its Pods have used that no status will count, as an edit has ended it.

    A run that the edit restarts under the same number goes on with what it has used, and begins again if it had ended.
    """
    former = bot.status.current_run
    if former is None or former.usage is None:
        return bot, run
    usage = former.usage
    if former.outcome is None and (former.number, former.execution) != (run.number, run.execution):
        usage = usage.model_copy(update={"gpu_seconds": usage.gpu_seconds + _sum_uncounted(former, observed)})
    if former.number == run.number:
        again = {"began_at": None} if former.outcome and run.outcome is None else {}
        return bot, run.model_copy(update={"usage": usage.model_copy(update=again)})
    status = bot.status.model_copy(update={"current_run": former.model_copy(update={"usage": usage})})
    return replace(bot, status=status), run


def _sum_uncounted(run: CurrentRun, observed: Observed) -> int:
    own = {job.uid for job in observed.jobs if job.name == run.job_name}
    pods = tuple(pod for pod in observed.pods if pod.controller_uid in own)
    return round(sum(compute_uncounted_gpu_time(run, pods, observed.now).values()))
