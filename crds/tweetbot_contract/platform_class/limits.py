"""What TweetBots of a class may ask for."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.lifecycle import TIME_ZONE
from tweetbot_contract.spec.parts import Part, Rule, build_pattern_rule

SourceKind = Literal["archive", "posts", "x", "bluesky", "mastodon", "threads", "instagram", "reddit"]
Relation = Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"]
Address = Annotated[str, Field(min_length=1, max_length=1024)]


class ScheduleHours(Part):
    """Hours of the day in which scheduled runs begin; one that comes due outside begins when they do."""

    start: int = Field(ge=0, le=23)
    """Hour from which runs begin."""
    end: int = Field(ge=0, le=23)
    """Hour from which none begins any more; one before `start` is of the next day."""
    time_zone: str = Field("UTC", max_length=64)
    """Time zone of these hours, e.g. Europe/Berlin."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.start != self.end",
            "write two different hours; leave scheduleHours out to allow every hour",
            lambda part: part.start != part.end,
            field="end",
        ),
        build_pattern_rule("timeZone", TIME_ZONE, "write a time zone name such as Europe/Berlin"),
    )


class ClassLimits(Part):
    """What TweetBots of the class may ask for; what is unset or empty allows anything."""

    bases: tuple[Address, ...] = Field((), max_length=50)
    """Allowed values of model.base; one that ends with * allows what begins with the rest."""
    sources: tuple[SourceKind, ...] = Field((), max_length=8)
    """Allowed kinds of sources."""
    relations: tuple[Relation, ...] = Field((), max_length=5)
    """Allowed values of subject.relation."""
    buckets: tuple[Address, ...] = Field((), max_length=50)
    """Addresses at or below which output.s3.uri must be; {namespace} is the TweetBot's."""
    gpu_resources: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field((), max_length=20)
    """Allowed values of resources.gpu.resource, where a GPU is asked for."""
    max_gpu_count: int | None = Field(None, ge=0, le=8)
    """Maximum of resources.gpu.count."""
    max_active_deadline_seconds: int | None = Field(None, ge=60, le=604800)
    """Maximum of run.activeDeadlineSeconds."""
    min_schedule_seconds: int | None = Field(None, ge=60, le=31_536_000)
    """Minimum of seconds between two times of a schedule."""
    schedule_hours: ScheduleHours | None = None
    """Hours of the day in which scheduled runs begin; unset: at any hour."""
