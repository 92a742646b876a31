"""Choose the TweetBotClass of a run: that of a run under way stays as it was when the run began."""

from dataclasses import fields
from datetime import datetime

from tweetbot_contract.class_manifest import TweetBotClass, choose_class
from tweetbot_contract.manifest import BaseTweetBot, InvalidManifest, TweetBot, apply_class
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.reasons import CLASS_INVALID, CLASS_NOT_FOUND, FORBIDDEN_BY_CLASS, INVALID_SPEC
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.platform.limits import find_violation
from tweetbot_operator.decisions.run import decide_run
from tweetbot_operator.types.objects import InvalidTweetBot, Observed
from tweetbot_operator.types.times import compute_schedule_times, find_schedule_error

_MOVED = (
    "spec.output.s3: uri and endpoint cannot change once a model is published, as it would no longer be found: create "
    "another TweetBot"
)


def find_kept_run(bot: TweetBot | InvalidTweetBot, now: datetime) -> CurrentRun | None:
    """Return the recorded run with its class as it was, if it goes on, or has ended and nothing asks for another."""
    recorded = bot.status.current_run
    if recorded is None or not isinstance(bot, TweetBot) or not _is_requested(bot.class_name, recorded.run_class):
        return None
    run = decide_run(bot, compute_schedule_times(bot, now).due, now)
    kept = (run.id, run.number) == (recorded.id, recorded.number) and not _begins_again(recorded, run)
    return run if kept else None


def resolve_class(observed: Observed) -> TweetBot | InvalidTweetBot:
    """Return the TweetBot with its class as it is now, for a run that begins."""
    bot = observed.bot
    chosen = choose_class(bot.class_name, observed.classes)
    if chosen is None and bot.class_name:
        return _refuse(bot, CLASS_NOT_FOUND.name, f"spec.className: no {bot.class_name}")
    if chosen and chosen.error:
        return _refuse(bot, CLASS_INVALID.name, f"TweetBotClass {chosen.name}: {chosen.error}")
    try:
        applied = _apply(bot, _snapshot(chosen, named=bool(bot.class_name)) if chosen else None)
    except InvalidManifest as fault:
        return _refuse(bot, INVALID_SPEC.name, str(fault))
    if chosen is None:
        return applied
    violation = find_violation(applied, chosen.spec.limits)
    return _refuse(bot, FORBIDDEN_BY_CLASS.name, f"{violation} (TweetBotClass {chosen.name})") if violation else applied


def _is_requested(class_name: str, run_class: RunClass | None) -> bool:
    """Whether a run has the class that the spec names. Without a name it may have any default class, or none."""
    if class_name:
        return run_class is not None and run_class.name == class_name
    return run_class is None or not run_class.named


def _begins_again(recorded: CurrentRun, run: CurrentRun) -> bool:
    return recorded.outcome is not None and run.outcome is None


def _snapshot(chosen: TweetBotClass, *, named: bool) -> RunClass:
    pods = chosen.spec.pods.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    hours = chosen.spec.limits.schedule_hours
    parts = {"defaults": chosen.spec.defaults, "pods": pods, "scheduleHours": hours and hours.to_dict()}
    given = {name: value for name, value in parts.items() if value}
    return RunClass(name=chosen.name, generation=chosen.generation, named=named, spec=given)


def _apply(bot: BaseTweetBot, run_class: RunClass | None) -> TweetBot:
    """Apply a class; it sends models elsewhere only where there is none yet. Raises InvalidManifest."""
    applied = apply_class(bot, run_class)
    place = _find_place_of_models(bot)
    if place and _get_place(applied) != place:
        applied = apply_class(bot, _keep_place(run_class, *place)) if run_class else applied
        if _get_place(applied) != place:
            raise InvalidManifest(_MOVED)
    if error := find_schedule_error(applied.spec.schedule) if applied.spec.schedule else None:
        raise InvalidManifest(error)
    return applied


def _get_place(bot: TweetBot) -> tuple[str, str | None]:
    return bot.spec.output.s3.uri, bot.spec.output.s3.endpoint


def _find_place_of_models(bot: BaseTweetBot) -> tuple[str, str | None] | None:
    """Return the output's uri and endpoint by which the published models are found; None without a model."""
    if bot.status.model is None or not isinstance(bot, TweetBot):
        return None
    output, (root, found, _) = bot.spec.output.s3, bot.status.model.uri.partition(f"/{bot.namespace}/{bot.name}/")
    return root if found else output.uri, output.endpoint


def _keep_place(run_class: RunClass, uri: str, endpoint: str | None) -> RunClass:
    """Return a class that sends models where the TweetBot's are."""
    defaults = run_class.spec.get("defaults") or {}
    output = defaults.get("output") or {}
    others = {key: value for key, value in (output.get("s3") or {}).items() if key not in ("uri", "endpoint")}
    s3 = {**others, "uri": uri, **({"endpoint": endpoint} if endpoint else {})}
    spec = {**run_class.spec, "defaults": {**defaults, "output": {**output, "s3": s3}}}
    return run_class.model_copy(update={"spec": spec})


def _refuse(bot: BaseTweetBot, reason: str, error: str) -> InvalidTweetBot:
    metadata = {field.name: getattr(bot, field.name) for field in fields(BaseTweetBot)}
    return InvalidTweetBot(error=error, reason=reason, **metadata)
