"""How large a base's config.json may make a model. Imports no torch.

The bounds are far above those of any base that is trained here: a model of a billion layers would be built before its
weights are found missing. The least context leaves room for a few tokens after a prompt (`sampling.FEWEST_TOKENS`).
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Layers = Annotated[int, Field(ge=1, le=1024)]
Heads = Annotated[int, Field(ge=1, le=1024)]
Channels = Annotated[int, Field(ge=1, le=65536)]
Inner = Annotated[int, Field(ge=1, le=262144)]
Vocabulary = Annotated[int, Field(ge=1, le=2097152)]
Context = Annotated[int, Field(ge=10, le=1048576)]
Epsilon = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ConfigPart(BaseModel):
    """A part of a config.json: values of the right type, and no others than those that are read."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)
