"""The base class of the chart's values."""

from typing import Any

from pydantic import ConfigDict

from tweetbot_contract.spec.parts import Part

Text = dict[str, str]
Object = dict[str, Any]
Objects = list[Object]


class ValueGroup(Part):
    """A group of values; the docstring under each field describes it in values.yaml, its schema and the README."""

    model_config = ConfigDict(use_attribute_docstrings=True)
