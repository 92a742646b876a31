"""`$(VAR)` as the kubelet expands it."""

import pytest

from tweetbot_cluster.node.pod.expansion import expand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "gull"),
        ("x$(A)y$(A)", "xgullygull"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$gull"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(A", "$(A"),
        ("$$", "$"),
        ("$(B)", "$(A)"),
    ],
)
def test_references_to_known_variables_are_replaced_once(text: str, expected: str) -> None:
    assert expand(text, {"A": "gull", "B": "$(A)"}) == expected
