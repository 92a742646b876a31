"""What a plan reads of the platform with the caller's rights: its prices, and the class that a manifest would get."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from tweetbot_contract.class_manifest import TweetBotClass, choose_class, parse_class
from tweetbot_contract.handover import CLASS_PLURAL, GROUP, VERSION
from tweetbot_contract.platform_class.prices import PRICES_CONFIG_MAP, PRICES_KEY, PRICES_NAMESPACE, Prices
from tweetbot_contract.platform_class.resolve import apply_defaults
from tweetbot_kubectl.cluster.requests import Document, Requests
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import CommandFailed, NotFound, Unreachable

NO_PRICES = (
    "No money is told, as there are no prices that you may read: the platform team sets them as settings.prices of the "
    "chart (docs/classes.md#prices)."
)
_CLASSES = f"/apis/{GROUP}/{VERSION}/{CLASS_PLURAL}"


def read_prices(session: Session, namespace: str | None) -> Prices:
    """Return the platform's prices; none where there are none, or the caller may not read them."""
    for where in filter(None, (PRICES_NAMESPACE, namespace)):
        try:
            path = f"/api/v1/namespaces/{where}/configmaps/{PRICES_CONFIG_MAP}"
            content = session.cluster.requests.get(path)["data"][PRICES_KEY]
            return Prices.model_validate_json(content, extra="ignore")
        except Unreachable:
            break
        except (CommandFailed, KeyError, TypeError, ValidationError):
            continue
    return Prices()


def apply_class(session: Session, manifest: Document, namespace: str) -> tuple[Document, str]:
    """Return a manifest with what its class would give, and a sentence about the class; empty without one."""
    spec: dict[str, Any] = manifest.get("spec") or {}
    name = str(spec.get("className") or "")
    try:
        chosen = choose_class(name, tuple(_read_classes(session.cluster.requests, name)))
    except CommandFailed as failure:
        return manifest, f"The TweetBotClass that it would get is not known: {failure} The plan is without it."
    if chosen is None:
        return manifest, f"There is no TweetBotClass {name}: the TweetBot would wait for it." if name else ""
    if chosen.error:
        return manifest, f"TweetBotClass {chosen.name} cannot be used: {chosen.error}"
    own = str((manifest.get("metadata") or {}).get("name", ""))
    given = apply_defaults(spec, chosen.spec.defaults, namespace=namespace, name=own)
    which = "" if name else ", the default"
    return {**manifest, "spec": given}, f"It would get TweetBotClass {chosen.name}{which}, as it is now."


def _read_classes(requests: Requests, name: str) -> Iterable[TweetBotClass]:
    """Yield the class of this name, or all; none where there is none. Raises CommandFailed."""
    try:
        found = [requests.get(f"{_CLASSES}/{name}")] if name else requests.get(_CLASSES).get("items") or []
    except NotFound:
        return
    for document in found:
        yield parse_class(document)
