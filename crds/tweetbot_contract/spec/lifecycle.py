"""How long, how often and when a TweetBot is trained, and how much history is kept."""

from typing import ClassVar

from pydantic import Field

from tweetbot_contract.spec.parts import Part, Rule, build_pattern_rule, make_matcher

CRON = r"^[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}$"
#: The name of a model version: the start of its training key, and a number where another one was forced.
MODEL_VERSION = "^[0-9a-f]{16}(-[0-9]{1,9})?$"
TIME_ZONE = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"

_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_WEEKDAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"


def _build_cron_rule(position: int, name: str, value: str, allowed: str) -> Rule:
    """Build the rule of one cron field: comma-separated values, ranges and steps, as cronsim reads them.

    The operator checks what needs arithmetic: a range that runs backwards, a day that its month does not have.
    """
    term = f"(?i)^([*]|({value})(-({value}))?)(/[0-9]*[1-9][0-9]*)?$"
    return Rule(
        "self.cron.split(' ').size() != 5 || "
        f"self.cron.split(' ')[{position}].split(',').all(term, term.matches('{term}'))",
        f"write cron's {name} as {allowed}",
        lambda part: (
            len(fields := part.cron.split(" ")) != 5 or all(map(make_matcher(term), fields[position].split(",")))
        ),
        field="cron",
    )


class RunPolicy(Part):
    """How long and how often a run is tried."""

    attempts: int = Field(3, ge=1, le=10)
    """How many Pods of a stage may fail before the run fails. Pods lost to preemption do not count."""
    active_deadline_seconds: int = Field(7200, ge=60, le=604800)
    """Longest time a stage may run, in seconds, summed over all its Pods. Waiting for a node does not count."""
    start_deadline_seconds: int = Field(600, ge=10, le=604800)
    """Longest time a stage may wait for its Pod to start, in seconds."""


class Schedule(Part):
    """When further runs start by themselves."""

    cron: str = Field(max_length=100)
    """When runs start: minute, hour, day of month, month and day of week, as in "0 3 * * 1". Each TweetBot adds a fixed
    delay of a few minutes, so that a fleet does not start all at once."""
    time_zone: str = Field("UTC", max_length=64)
    """Time zone of the cron times, e.g. Europe/Berlin."""
    min_new_posts: int = Field(0, ge=0, le=1000000)
    """Minimum number of posts unseen by the served model for a scheduled run to train; 0 always trains."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule(
            "cron", CRON, 'write five fields such as "0 3 * * 1": minute, hour, day of month, month, day of week'
        ),
        _build_cron_rule(0, "minute", "0?[0-9]|[1-5][0-9]", "0 to 59"),
        _build_cron_rule(1, "hour", "[01]?[0-9]|2[0-3]", "0 to 23"),
        _build_cron_rule(
            2, "day of month", "0?[1-9]|[12][0-9]|3[01]|LW?", "1 to 31, L for the last, LW for the last weekday"
        ),
        _build_cron_rule(3, "month", f"0?[1-9]|1[0-2]|{_MONTHS}", "1 to 12 or JAN to DEC"),
        _build_cron_rule(
            4,
            "day of week",
            f"0?[0-7](L|#[1-5])?|({_WEEKDAYS})(#[1-5])?",
            "0 to 7 or SUN to SAT; 1L is the last Monday of a month, 1#2 the second",
        ),
        build_pattern_rule("timeZone", TIME_ZONE, "write a time zone name such as Europe/Berlin"),
    )


class History(Part):
    """How many earlier runs and models are kept."""

    runs: int = Field(5, ge=0, le=50)
    """How many finished runs status.runs lists."""
    models: int = Field(3, ge=1, le=100)
    """How many model versions to keep in S3. After a publication older ones are erased, except the one that latest.json
    points to, the pinned one, and any that a later run adopted. As many models that failed a gate are kept, too."""
