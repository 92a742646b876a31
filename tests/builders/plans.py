"""What the tests of decisions read from a plan."""

from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.plan import Plan
from tweetbot_operator.types.actions import CreateJob, DeleteJob


def run_in(made: Plan) -> CurrentRun:
    assert made.status.current_run is not None
    return made.status.current_run


def reason_in(made: Plan, type_: str = "Progressing") -> str | None:
    """Return a condition's reason, or None."""
    found = made.status.find_condition(type_)
    return found.reason if found else None


def created(made: Plan) -> list[str]:
    """Return the names of the Jobs to create."""
    return [action.manifest["metadata"]["name"] for action in made.actions if isinstance(action, CreateJob)]


def deleted(made: Plan) -> list[tuple[str, str]]:
    """Return the uids of the Jobs to delete, and why."""
    return [(action.job.uid, action.why) for action in made.actions if isinstance(action, DeleteJob)]
