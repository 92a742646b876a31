"""How long, how often and when a TweetBot is trained, and what is kept."""

from typing import Annotated, ClassVar

from pydantic import Field

from tweetbot_contract.parts import Part, Rule, matches

CRON = r"^[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}$"
TIME_ZONE = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"


class Run(Part):
    """How long and how often a run is tried."""

    attempts: Annotated[int, Field(ge=1, le=10, description="Pods a stage may use up; preemption counts none.")] = 3
    active_deadline_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=604800,
            description="Seconds a stage may run, summed over all its Pods; waiting for a node is not counted.",
        ),
    ] = 7200
    start_deadline_seconds: Annotated[
        int, Field(ge=10, le=604800, description="Seconds a stage may wait for its Pod to start.")
    ] = 600


class Schedule(Part):
    """When another run starts by itself."""

    cron: Annotated[
        str,
        Field(
            max_length=100,
            description='Minute, hour, day of month, month, day of week, as in "0 3 * * 1". Each TweetBot starts a few '
            "minutes later than that, always the same, so that a fleet does not start at once.",
        ),
    ]
    time_zone: Annotated[str, Field(max_length=64, description="Of cron's times, e.g. Europe/Berlin.")] = "UTC"
    min_new_posts: Annotated[
        int,
        Field(
            ge=0,
            le=1000000,
            description="Posts that the served model has not seen, without which a scheduled run trains nothing.",
        ),
    ] = 0
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.cron.matches('{CRON}')",
            'write five fields such as "0 3 * * 1": minute, hour, day of month, month, day of week',
            lambda part: matches(CRON)(part.cron),
            field="cron",
        ),
        Rule(
            f"self.timeZone.matches('{TIME_ZONE}')",
            "write a name of the time zone database such as Europe/Berlin",
            lambda part: matches(TIME_ZONE)(part.time_zone),
            field="timeZone",
        ),
    )


class History(Part):
    """How much is kept of what was before."""

    runs: Annotated[int, Field(ge=0, le=50, description="Runs that status.runs tells of.")] = 5
    models: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Model versions kept in S3, the newest. Older ones are erased after a publication, but never "
            "the one that latest.json points to, nor one that a later run adopted. As many are kept of those "
            "that missed a gate.",
        ),
    ] = 3
