"""Find what a TweetBot asks for that its class does not allow. The API server refuses what a manifest says of it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.limits import ClassLimits
from tweetbot_contract.spec.lifecycle import Schedule
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_operator.types.times import compute_shortest_interval


def find_violation(bot: TweetBot, limits: ClassLimits) -> str | None:
    """Return the first field that the class does not allow, and what it allows; None if it allows all."""
    checks = chain(_check_model(bot, limits), _check_usage(bot.spec, limits))
    violated = ((field, allowed) for field, holds, allowed in checks if not holds)
    return next((f"spec.{field}: write {allowed}" for field, allowed in violated), None)


#: A limit that is set: the field, whether it is kept, and what is allowed.
Checks = Iterator[tuple[str, bool, str]]


def _check_model(bot: TweetBot, limits: ClassLimits) -> Checks:
    """Check of what, from what, and where to a model is made."""
    spec = bot.spec
    if limits.bases:
        yield "model.base", _matches(spec.model.base, limits.bases), _list_choices(limits.bases)
    if limits.sources:
        kinds = {_get_kind(source) for source in spec.sources}
        yield "sources", kinds <= set(limits.sources), _list_choices(limits.sources)
    if limits.relations:
        yield "subject.relation", spec.subject.relation in limits.relations, _list_choices(limits.relations)
    if limits.buckets:
        own = tuple(address.replace("{namespace}", bot.namespace).rstrip("/") for address in limits.buckets)
        yield "output.s3.uri", _lies_in(spec.output.s3.uri, own), _list_choices(own)


def _check_usage(spec: TweetBotSpec, limits: ClassLimits) -> Checks:
    """Check how much is used."""
    gpu = spec.resources.gpu
    if (most := limits.max_gpu_count) is not None:
        yield "resources.gpu.count", gpu.count <= most, f"at most {most}"
    if limits.gpu_resources and gpu.count:
        yield "resources.gpu.resource", gpu.resource in limits.gpu_resources, _list_choices(limits.gpu_resources)
    if longest := limits.max_active_deadline_seconds:
        yield "run.activeDeadlineSeconds", spec.run.active_deadline_seconds <= longest, f"at most {longest}"
    if (shortest := limits.min_schedule_seconds) and spec.schedule:
        interval = _compute_interval(spec.schedule.cron, spec.schedule.time_zone)
        yield "schedule.cron", interval >= shortest, f"times at least {shortest} seconds apart"


def _list_choices(allowed: Iterable[str]) -> str:
    choices = list(allowed)
    return f"one of {', '.join(choices)}" if len(choices) > 1 else "".join(choices)


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    begun = (text.startswith(pattern[:-1]) for pattern in patterns if pattern.endswith("*"))
    return text in patterns or any(begun)


def _lies_in(uri: str, buckets: tuple[str, ...]) -> bool:
    return any(uri.rstrip("/") == bucket or uri.startswith(f"{bucket}/") for bucket in buckets)


def _get_kind(source: Source) -> str:
    return next(name for name in Source.model_fields if getattr(source, name) is source.kind)


@lru_cache(maxsize=64)
def _compute_interval(cron: str, time_zone: str) -> float:
    return compute_shortest_interval(Schedule(cron=cron, time_zone=time_zone))
