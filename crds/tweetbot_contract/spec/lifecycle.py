"""How long, how often and when a TweetBot is trained, and what is kept."""

from typing import ClassVar

from pydantic import Field

from tweetbot_contract.spec.parts import Part, Rule, make_matcher

CRON = r"^[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}$"
TIME_ZONE = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"

_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_WEEKDAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"


def _build_cron_rule(position: int, name: str, value: str, words: str) -> Rule:
    """Return the rule of one field: values, ranges and steps, divided by commas, as cronsim reads them.

    What takes arithmetic is left to the operator: a range that runs backwards, a day that its month does not have.
    """
    term = f"(?i)^([*]|({value})(-({value}))?)(/[0-9]*[1-9][0-9]*)?$"
    return Rule(
        "self.cron.split(' ').size() != 5 || "
        f"self.cron.split(' ')[{position}].split(',').all(term, term.matches('{term}'))",
        f"write cron's {name} as {words}",
        lambda part: (
            len(fields := part.cron.split(" ")) != 5 or all(map(make_matcher(term), fields[position].split(",")))
        ),
        field="cron",
    )


class RunPolicy(Part):
    """How long and how often a run is tried."""

    attempts: int = Field(3, ge=1, le=10, description="Pods a stage may use up; preemption counts none.")
    active_deadline_seconds: int = Field(
        7200,
        ge=60,
        le=604800,
        description="Seconds a stage may run, summed over all its Pods; waiting for a node is not counted.",
    )
    start_deadline_seconds: int = Field(
        600, ge=10, le=604800, description="Seconds a stage may wait for its Pod to start."
    )


class Schedule(Part):
    """When another run starts by itself."""

    cron: str = Field(
        max_length=100,
        description=(
            'Minute, hour, day of month, month, day of week, as in "0 3 * * 1". Each TweetBot starts a few '
            "minutes later than that, always the same, so that a fleet does not start at once."
        ),
    )
    time_zone: str = Field("UTC", max_length=64, description="Of cron's times, e.g. Europe/Berlin.")
    min_new_posts: int = Field(
        0,
        ge=0,
        le=1000000,
        description="Posts that the served model has not seen, without which a scheduled run trains nothing.",
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.cron.matches('{CRON}')",
            'write five fields such as "0 3 * * 1": minute, hour, day of month, month, day of week',
            lambda part: make_matcher(CRON)(part.cron),
            field="cron",
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
        Rule(
            f"self.timeZone.matches('{TIME_ZONE}')",
            "write a name of the time zone database such as Europe/Berlin",
            lambda part: make_matcher(TIME_ZONE)(part.time_zone),
            field="timeZone",
        ),
    )


class History(Part):
    """How much is kept of what was before."""

    runs: int = Field(5, ge=0, le=50, description="Runs that status.runs tells of.")
    models: int = Field(
        3,
        ge=1,
        le=100,
        description=(
            "Model versions kept in S3, the newest. Older ones are erased after a publication, but never "
            "the one that latest.json points to, nor one that a later run adopted. As many are kept of those "
            "that missed a gate."
        ),
    )
