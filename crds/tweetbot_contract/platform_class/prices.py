"""What a platform's hours cost: the table by which plans and statuses say money (docs/decisions/0088)."""

from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from tweetbot_contract.spec.parts import Part, Rule, make_matcher
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.scheduling import EXTENDED_RESOURCE
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE

#: ConfigMap with the table, and its key, where everybody may read it: in this namespace, or in the TweetBot's.
PRICES_CONFIG_MAP, PRICES_KEY, PRICES_NAMESPACE = "tweetbot-prices", "prices.json", "kube-public"
_GIB = 2**30
Price = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
_CURRENCY, _CURRENCY_ADVICE = "^[A-Z]{3}$", "a currency as three capital letters, such as USD"
_RESOURCE_ADVICE = "a resource with its domain, such as nvidia.com/gpu"


def _describe_form(pattern: str, advice: str) -> dict[str, JsonValue]:
    """Return a form in the chart's schema: helm answers any other text by the advice."""
    return {"if": {"pattern": pattern}, "else": {"const": advice}}


class Prices(Part):
    """Prices of a platform, all in one currency. Without any, no money is told."""

    currency: str = Field("USD", json_schema_extra=_describe_form(_CURRENCY, _CURRENCY_ADVICE))
    """Currency of all prices, as three letters."""
    gpu_hour: dict[str, Price] = Field(
        default_factory=dict, json_schema_extra={"propertyNames": _describe_form(EXTENDED_RESOURCE, _RESOURCE_ADVICE)}
    )
    """Price of one accelerator for an hour, by its resource, e.g. `nvidia.com/gpu: 2.5`."""
    cpu_hour: Price = 0.0
    """Price of one core for an hour."""
    gib_hour: Price = 0.0
    """Price of one GiB of memory for an hour."""
    x_post: Price | None = None
    """Price of one post from the X API; unset: X's list price, which is in USD."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            None,
            f"write {_CURRENCY_ADVICE}",
            lambda part: make_matcher(_CURRENCY)(part.currency),
            field="currency",
        ),
        Rule(
            None,
            f"write {_RESOURCE_ADVICE}",
            lambda part: all(map(make_matcher(EXTENDED_RESOURCE), part.gpu_hour)),
            field="gpuHour",
        ),
    )

    @property
    def known(self) -> bool:
        """Whether the platform has set any."""
        return bool(self.gpu_hour or self.cpu_hour or self.gib_hour or self.x_post is not None)

    def price_hour(self, cpu: str, memory: str, gpu: str = "", gpus: int = 0) -> float | None:
        """Return the price of an hour of a Pod with these quantities; None where its accelerators have none."""
        if gpus and gpu not in self.gpu_hour:
            return None
        cores, size = float(read_quantity(cpu) or 0), float(read_quantity(memory) or 0)
        return cores * self.cpu_hour + size / _GIB * self.gib_hour + (gpus and gpus * self.gpu_hour[gpu])

    def price_posts(self, posts: int) -> float | None:
        """Return the price of posts from the X API; None where the table's currency has none for them."""
        listed = X_POST_PRICE / X_DOLLAR if self.currency == "USD" else None
        price = self.x_post if self.x_post is not None else listed
        return 0.0 if not posts else None if price is None else posts * price
