"""Times: as a status writes them (RFC 3339, whole seconds, UTC), of a schedule, between attempts, and of other clocks.

A schedule follows Debian's cron, daylight saving included: what falls into the hour that is left out starts at its end,
and what falls into the hour that comes twice starts once, unless hour or minute is a wildcard.
"""

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.limits import ScheduleHours
from tweetbot_contract.spec.lifecycle import Schedule
from tweetbot_operator.types.objects import JobView, PodView


def format_time(moment: datetime) -> str:
    """Return the text of a moment; parts of a second are dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """Return metav1.MicroTime, the form that Leases and Events need."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Parse RFC 3339, with or without fractions of a second."""
    return datetime.fromisoformat(text).astimezone(UTC)


def add_seconds(moment: datetime, seconds: float) -> datetime:
    """Return the moment this many seconds later."""
    return moment + timedelta(seconds=seconds)


def get_earliest(*moments: datetime | None) -> datetime | None:
    """Return the earliest moment that is not None."""
    return min((moment for moment in moments if moment is not None), default=None)


def compute_backoff(attempt: int, first: float, longest: float) -> float:
    """Return the pause after the attempt of this number (from 1): doubled from `first` up to `longest`."""
    return min(first * 2.0 ** min(attempt - 1, 30), longest)


#: Seconds by which clocks differ at most that count as one; no limit of a run is shorter than a minute's part.
CLOCK_TOLERANCE_SECONDS = 60


class Clock:
    """Tells the API server's time, which most times in objects are, as far as it was read; else that of `base`."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base, self._offset, self._exact = base, timedelta(), False
        self.skew = 0.0
        """Seconds by which the base is behind the date of the API server's last answer."""

    @classmethod
    def wrap(cls, now: "Callable[[], datetime] | Clock") -> "Clock":
        """Return a clock on this base, or the clock itself."""
        return now if isinstance(now, Clock) else cls(now)

    def __call__(self) -> datetime:
        """Return the time."""
        return self._base() + self._offset

    def note_date(self, date: datetime) -> None:
        """Follow the date of an answer until an object's time is known: a proxy may have written it."""
        self.skew = (date - self._base()).total_seconds()
        if not self._exact:
            self._set(self.skew)

    def note_creation(self, moment: datetime) -> None:
        """Follow the time that the API server has just given a new object."""
        self._exact = True
        self._set((moment - self._base()).total_seconds())

    def _set(self, skew: float) -> None:
        """Change the offset only where it is wrong by more than a minute, so that no time jumps to and fro."""
        if abs(skew - self._offset.total_seconds()) > CLOCK_TOLERANCE_SECONDS:
            self._offset = timedelta(seconds=skew if abs(skew) > CLOCK_TOLERANCE_SECONDS else 0)


def align_pod(pod: PodView, now: datetime) -> PodView:
    """Return the Pod with what scheduler and kubelet have written set into its life as the API server's clock has it.

    Times that are more than a minute outside are of a clock that is wrong: then only how long a container ran is
    believed, and it began when its Pod was scheduled.
    """
    scheduled = pod.scheduled_at if _is_within(pod.scheduled_at, pod.created_at, now) else pod.created_at
    started, finished = _align_times(pod.started_at, pod.finished_at, scheduled or pod.created_at, now)
    if (scheduled, started, finished) == (pod.scheduled_at, pod.started_at, pod.finished_at):
        return pod
    return replace(pod, scheduled_at=scheduled, started_at=started, finished_at=finished)


def align_job(job: JobView, now: datetime) -> JobView:
    """Return the Job with the times of the Job controller set into its life in the same way."""
    started, finished = _align_times(job.started_at, job.finished_at, job.created_at, now)
    if (started, finished) == (job.started_at, job.finished_at):
        return job
    return replace(job, started_at=started, finished_at=finished)


def _align_times(
    started: datetime | None, finished: datetime | None, earliest: datetime, now: datetime
) -> tuple[datetime | None, datetime | None]:
    if _is_within(started, earliest, now) and _is_within(finished, earliest, now):
        return started, finished
    took = finished - started if finished and started else timedelta()
    return started and earliest, finished and min(earliest + took, now)


def _is_within(moment: datetime | None, earliest: datetime, latest: datetime) -> bool:
    """Tell whether a moment, if there is one, is in a span of time, give or take a minute."""
    tolerance = timedelta(seconds=CLOCK_TOLERANCE_SECONDS)
    return moment is None or earliest - tolerance <= moment <= latest + tolerance


#: metav1.Condition allows 32 KiB; a line that a person reads is shorter.
MESSAGE_LIMIT = 1024


def make_printable(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text in one line without control and direction marks, cut to `limit` characters."""
    visible = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sanitize(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Make printable and strip the full stop, so that a sentence can go on."""
    return make_printable(text, limit).rstrip(".")


def shorten(text: str, limit: int) -> str:
    """Return the first sentences that fit the limit; if none does, the words that fit, and an ellipsis."""
    if len(text) <= limit:
        return text
    end = text.rfind(". ", 0, limit) + 1
    return text[:end] if end else (text[:limit].rpartition(" ")[0] or text[: limit - 1]).rstrip(".,;:") + "…"


#: What has no meaning: values of request ids, uuids, hashes, the ends of generated names, names made of addresses;
#: counts, quantities, times and addresses, with their signs. A digit inside a name, as in s3-credentials, stays.
_MEANINGLESS = re.compile(
    r"(?i:(?:request|correlation|trace|host)[ -]?id)\W{1,3}[\w+/=:-]+"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|(?<![\w.-])[+-]?\d+(?:[A-Za-z%.:/,-]{1,3}\d+)*[A-Za-z%]{0,3}(?!\w|-\w)"
    r"|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\b(?=[A-Z]*\d)[0-9A-Z]{12,}\b|\b0x[0-9a-fA-F]+\b"
    r"|(?<=-)[bcdfghjklmnpqrstvwxz2456789]{5}(?![^\W_])|\bip(?:-\d{1,3}){4}\b|(?<=\()x\d+\b"
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
)


def extract_meaning(words: str) -> frozenset[str]:
    """Return the clauses of a sentence, which schedulers sort by their numbers, without numbers and ids.

    A text of nothing else means itself.
    """
    clauses = frozenset(" ".join(clause.split()) for clause in re.split("[,.;:]", _MEANINGLESS.sub(" ", words)))
    return clauses - {""} or frozenset((words,))


#: Seconds over which the TweetBots of one schedule are spread, so that a fleet does not start at once.
SCHEDULE_SPREAD_SECONDS = 300
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScheduleTimes:
    """When the schedule starts runs: `due` has passed and has not started one yet, `next` comes after now."""

    due: datetime | None = None
    next: datetime | None = None


def compute_schedule_times(bot: TweetBot, now: datetime) -> ScheduleTimes:
    """Compute when the schedule starts a run: at a time of cron, or when the hours of the class begin after it.

    Of several missed times, only the first is due.

    A time is due only if the status has announced it as the next one, so a new or edited schedule starts nothing for
    the past. A time that has started a run is not due again, even if a clock that goes back announces it once more.
    """
    schedule, hours = bot.spec.schedule, bot.run_class.schedule_hours if bot.run_class else None
    if schedule is None:
        return ScheduleTimes()
    shift = compute_splay(bot.uid, SCHEDULE_SPREAD_SECONDS)
    announced = parse_time(bot.status.next_schedule_time) if bot.status.next_schedule_time else None
    passed = announced is not None and announced <= now and format_time(announced) != bot.status.last_schedule_time
    begins = announced and (_is_scheduled(schedule, announced - shift) or _is_opening(hours, announced - shift))
    return ScheduleTimes(
        announced if begins and passed else None, _move_into(hours, _find_next(schedule, now - shift)) + shift
    )


def _move_into(hours: ScheduleHours | None, moment: datetime) -> datetime:
    """Return the moment, or where it is outside of the hours, the next at which they begin."""
    if hours is None:
        return moment
    hour = moment.astimezone(ZoneInfo(hours.time_zone)).hour
    inside = hours.start <= hour < hours.end if hours.start < hours.end else not hours.end <= hour < hours.start
    opening = Schedule(cron=f"0 {hours.start} * * *", time_zone=hours.time_zone)
    return moment if inside else _find_next(opening, moment)


def _is_opening(hours: ScheduleHours | None, moment: datetime) -> bool:
    return hours is not None and moment == _move_into(hours, moment - timedelta(seconds=1))


def compute_shortest_interval(schedule: Schedule) -> float:
    """Return the seconds between the two times of a schedule that lie closest to each other, of the next hundred."""
    times = list(islice(CronSim(schedule.cron, _SOME_DAY.astimezone(ZoneInfo(schedule.time_zone))), 100))
    return min(((later - earlier).total_seconds() for earlier, later in pairwise(times)), default=math.inf)


def compute_splay(uid: str, spread: int) -> timedelta:
    """Return how much later than its schedule a TweetBot starts: 0 to `spread` whole seconds, by its uid."""
    return timedelta(seconds=int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big") % (spread + 1))


def find_schedule_error(schedule: Schedule) -> str | None:
    """Return what is wrong with a schedule, with the field's path; None if it has a next time."""
    try:
        ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "spec.schedule.timeZone: write a name of the time zone database such as Europe/Berlin"
    try:
        _find_next(schedule, _SOME_DAY)
    except (CronSimError, StopIteration) as fault:
        complaint = str(fault) or "this day never comes"
        return f'spec.schedule.cron: {complaint}: write five fields such as "0 3 * * 1"'
    return None


def _is_scheduled(schedule: Schedule, moment: datetime) -> bool:
    return _find_next(schedule, moment - timedelta(seconds=1)) == moment


def _find_next(schedule: Schedule, after: datetime) -> datetime:
    """Return the first time after a moment; in an hour that comes twice, CronSim also gives earlier ones."""
    times = CronSim(schedule.cron, after.astimezone(ZoneInfo(schedule.time_zone)))
    return next(time for time in (local.astimezone(UTC) for local in times) if time > after)
