"""Checks of what a namespace's ResourceQuotas and LimitRanges leave for a training."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.memory import resolve_memory
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_kubectl.decisions.checks.check import Check, Found, report_unreadable

Document = dict[str, Any]
_QUOTA, _LIMITS = "quota", "limit range"


def list_needs(bot: TweetBot) -> dict[str, Decimal]:
    """Return what the training's Pod asks for, by the names that a quota has for it."""
    wanted = bot.spec.resources
    cpu, memory = read_quantity(wanted.cpu) or Decimal(0), read_quantity(resolve_memory(bot.spec)) or Decimal(0)
    needs = {"pods": Decimal(1), "count/jobs.batch": Decimal(1)}
    for name, amount in (("cpu", cpu), ("memory", memory)):
        needs |= {name: amount, f"requests.{name}": amount, f"limits.{name}": amount}
    if wanted.gpu.count:
        needs[f"requests.{wanted.gpu.resource}"] = Decimal(wanted.gpu.count)
    return needs


def has_running_pod(pods: Found) -> bool:
    """Tell whether a Pod has not ended, as far as one may see."""
    return any((pod.get("status") or {}).get("phase") in ("Pending", "Running") for pod in pods.items)


def check_quota(bot: TweetBot, quotas: Found, *, running: bool) -> Check:
    """Judge what is left of the quotas; while a Pod of the bot runs, it has its part already."""
    if quotas.problem:
        return report_unreadable(_QUOTA, quotas, "What is left of quotas is not known")
    if not quotas.items:
        return Check(_QUOTA, "ok", "The namespace has no ResourceQuota.")
    if running:
        return Check(_QUOTA, "ok", "A Pod of the TweetBot runs, so that there was room.")
    lacking = [text for quota in quotas.items for text in _find_lacking(quota, list_needs(bot))]
    if lacking:
        advice = "Wait for others to end, lower spec.resources, or ask the platform team for more."
        return Check(_QUOTA, "warning", f"A training does not fit: {'; '.join(lacking)}.", advice)
    return Check(_QUOTA, "ok", f"A training fits into {', '.join(each['metadata']['name'] for each in quotas.items)}.")


def _find_lacking(quota: Document, needs: Mapping[str, Decimal]) -> Iterator[str]:
    """Yield what a quota has not enough of. One with scopes may not apply, and is left out."""
    if (quota.get("spec") or {}).get("scopes") or (quota.get("spec") or {}).get("scopeSelector"):
        return
    status = quota.get("status") or {}
    for name, hard in (status.get("hard") or {}).items():
        limit, used = read_quantity(str(hard)), read_quantity(str((status.get("used") or {}).get(name, "0")))
        if limit is not None and used is not None and name in needs and used + needs[name] > limit:
            part = f"{status['used'].get(name, 0)} of it used, {_format(needs[name])} is needed"
            yield f"{quota['metadata']['name']} has {hard} of {name}, {part}"


def _format(amount: Decimal) -> str:
    gibibytes = amount / 2**30
    return (
        f"{gibibytes.normalize():f}Gi"
        if gibibytes >= 1 and gibibytes == round(gibibytes, 2)
        else f"{amount.normalize():f}"
    )


def check_limit_ranges(bot: TweetBot, ranges: Found) -> Check:
    """Judge whether a LimitRange refuses the training's container."""
    if ranges.problem:
        return report_unreadable(_LIMITS, ranges, "Whether a LimitRange refuses the training is not known")
    if not ranges.items:
        return Check(_LIMITS, "ok", "The namespace has no LimitRange.")
    needs = list_needs(bot)
    refused = [text for each in ranges.items for text in _find_refusals(each, needs)]
    if refused:
        return Check(_LIMITS, "failed", f"A training is refused: {'; '.join(refused)}.", "Change spec.resources.")
    return Check(_LIMITS, "ok", f"{', '.join(each['metadata']['name'] for each in ranges.items)} lets a training pass.")


def _find_refusals(limit_range: Document, needs: Mapping[str, Decimal]) -> Iterator[str]:
    name = limit_range["metadata"]["name"]
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") not in ("Container", "Pod"):
            continue
        for bound, sign in (("max", 1), ("min", -1)):
            for resource, text in (limit.get(bound) or {}).items():
                amount = read_quantity(str(text))
                if amount is not None and resource in needs and sign * (needs[resource] - amount) > 0:
                    yield f"{name} has {bound} {resource} {text}, and the TweetBot asks for {_format(needs[resource])}"
