"""What the reconciler's tests share."""

import pytest

from harness.stage_operator import Stage


@pytest.fixture
def stage() -> Stage:
    """An operator on a cluster in memory."""
    return Stage()
