"""The training key: two runs with the same key train the same model, so the second may adopt the first one's."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters

SCHEMA = 1
#: So many hex digits of the key name a model version.
VERSION_DIGITS = 16


def fingerprint(dataset_digest: str, base: BaseIdentity, hyperparameters: Hyperparameters) -> str:
    """Return 64 hex digits over everything that shapes the weights (design, section 9, "Training key")."""
    return fingerprint_values(dataset_digest, base, hyperparameters.as_json())


def fingerprint_values(dataset_digest: str, base: BaseIdentity, training: Mapping[str, Any]) -> str:
    """Return the key of values as a manifest holds them."""
    content = {"schema": SCHEMA, "dataset": dataset_digest, "base": base.as_json(), "training": dict(training)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
