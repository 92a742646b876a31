"""The training key: two runs with the same key train the same model, so the second may reuse the first one's."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters

SCHEMA = 1
#: A model version is named by this many of the key's hex digits.
VERSION_DIGITS = 16


def fingerprint(dataset_digest: str, base: BaseIdentity, hyperparameters: Hyperparameters) -> str:
    """Hash everything that shapes the weights to 64 hex digits (design, section 9, "Training key")."""
    return fingerprint_values(dataset_digest, base, hyperparameters.as_json())


def fingerprint_values(dataset_digest: str, base: BaseIdentity, training: Mapping[str, Any]) -> str:
    """Hash the same with hyperparameters as a manifest holds them."""
    content = {"schema": SCHEMA, "dataset": dataset_digest, "base": base.as_json(), "training": dict(training)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
