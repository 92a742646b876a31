"""A program: the hasty operator, but Pod Security "restricted" refuses its Pods.

Its own obey that to the letter, whatever the settings; what a cluster's Pod Security says no to must be played.
"""

import sys
from typing import Any

from harness import hasty_operator
from tweetbot_operator.jobs import pod

_strict = pod.build_restricted_container


def _careless(*given: Any, **named: Any) -> dict[str, Any]:
    container = _strict(*given, **named)
    container["securityContext"]["allowPrivilegeEscalation"] = True
    return container


if __name__ == "__main__":
    pod.build_restricted_container = _careless
    sys.exit(hasty_operator.main())
