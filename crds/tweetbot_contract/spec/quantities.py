"""Kubernetes quantities: taken in the forms that Kubernetes takes, and hashed in one, so that equal amounts match."""

import re
from decimal import ROUND_CEILING, Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from tweetbot_contract.spec.parts import make_matcher

#: Units of 1000 and of 1024, and the factor that each stands for.
_UNITS = {
    **{
        unit: Decimal(1000) ** power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+))(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)")
#: Cores above 0 and below 10,000, with an exponent if it is a small one, or millionths or thousandths of one.
CPU_PATTERN = (
    "^[+]?0*([1-9][0-9]{0,3}([.][0-9]*)?|[.][0-9]*[1-9][0-9]*|[1-9][0-9]{0,6}([.][0-9]*)?m|[1-9][0-9]{0,9}u"
    "|[1-9]([.][0-9]*)?[eE][+]?0?[0-3]|[1-9][0-9]{0,3}([.][0-9]*)?[eE]-[0-9]{1,2})$"
)
#: The least memory with which a trainer's Python starts; below it a unit is missing or wrong. No machine has the most.
MIN_MEMORY, MAX_MEMORY = "32Mi", "100Ti"
CPU_ADVICE = "write cpu in cores above 0, such as 4, 0.5 or 500m"
MEMORY_ADVICE = (
    f"write memory with its unit, such as 16Gi, from {MIN_MEMORY} to {MAX_MEMORY}; m means thousandths of a byte: "
    "for 128m write 128Mi"
)
#: CEL for the field `memory`. It may be a number, so it is read as text.
MEMORY_CEL = (
    "!has(self.memory) || isQuantity(string(self.memory)) && "
    f"quantity(string(self.memory)).compareTo(quantity('{MIN_MEMORY}')) >= 0 && "
    f"quantity(string(self.memory)).compareTo(quantity('{MAX_MEMORY}')) <= 0"
)


def read_quantity(text: str) -> Decimal | None:
    """Return the amount that a quantity stands for, such as 0.5 for 500m, or None where it is no quantity."""
    parts = _QUANTITY.fullmatch(text)
    if parts is None:
        return None
    number, exponent, unit = parts.groups()
    return Decimal(number).scaleb(int(exponent or 0)) * _UNITS[unit or ""]


def is_cpu(text: str) -> bool:
    """Tell whether a text is an amount of CPU that a container may ask for."""
    return make_matcher(CPU_PATTERN)(text)


def is_memory(text: str) -> bool:
    """Tell whether a text is an amount of memory or disk that a container may ask for."""
    low, amount, high = (read_quantity(each) for each in (MIN_MEMORY, text, MAX_MEMORY))
    return low is not None and amount is not None and high is not None and low <= amount <= high


def canonicalize_cpu(text: str) -> str:
    """Return cores as Kubernetes stores them, such as 4 or 500m; what is not an amount of CPU comes back as it is."""
    cores = read_quantity(text) if is_cpu(text) else None
    if cores is None:
        return text
    thousandths = int((cores * 1000).to_integral_value(ROUND_CEILING))
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def canonicalize_memory(text: str) -> str:
    """Return whole bytes in the unit that takes the fewest characters; what is not an amount comes back as it is.

    Kubernetes keeps 16G and 16Gi as they were written, and so does the shortest form; it rounds up as Kubernetes does.
    """
    amount = read_quantity(text) if is_memory(text) else None
    if amount is None:
        return text
    size = amount.to_integral_value(ROUND_CEILING)
    return min((f"{size // factor:f}{unit}" for unit, factor in _UNITS.items() if is_whole(size, factor)), key=len)


def is_whole(size: Decimal, factor: Decimal) -> bool:
    """Tell whether a number of bytes is a whole number of a unit of at least one byte."""
    return factor >= 1 and size % factor == 0


#: Without a type, as only so the API server takes 0.5; no CEL can see such a field, so bounds and pattern stand alone.
Cpu = Annotated[
    str,
    BeforeValidator(str),
    WithJsonSchema(
        {
            "x-kubernetes-preserve-unknown-fields": True,
            "pattern": CPU_PATTERN,
            "maxLength": 20,
            "minimum": 0,
            "exclusiveMinimum": True,
            "maximum": 9999,
            "maxItems": 0,
            "maxProperties": 0,
            "not": {"enum": [True, False, [], {}]},
        }
    ),
]
Memory = Annotated[str, BeforeValidator(str), WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 20})]
