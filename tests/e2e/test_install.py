"""The chart without a value, and what the platform refuses."""

import re

from e2e.real_platform import NAMESPACE, VERSION, Platform
from e2e.team import Team

PRIVILEGED = f"""
apiVersion: v1
kind: Pod
metadata: {{name: control}}
spec:
  containers: [{{name: control, image: "tweetbot-operator:{VERSION}", securityContext: {{privileged: true}}}}]
"""


def test_helms_own_test_of_the_release_passes(platform: Platform) -> None:
    said = platform.type(f"helm --namespace {NAMESPACE} test tweetbot-operator --logs")
    assert re.search(r"Phase:\s+Succeeded", said)


def test_two_replicas_are_ready_and_one_of_them_leads(platform: Platform) -> None:
    ready = platform.type(
        f"kubectl -n {NAMESPACE} get deployment tweetbot-operator -o jsonpath='{{.status.readyReplicas}}'"
    )
    holder = platform.type(f"kubectl -n {NAMESPACE} get lease tweetbot-operator -o jsonpath='{{.spec.holderIdentity}}'")
    pods = platform.type(f"kubectl -n {NAMESPACE} get pods -o name")
    assert (ready, holder.split("_")[0] in pods) == ("2", True)


def test_a_privileged_pod_is_refused(team: Team) -> None:
    assert 'violates PodSecurity "restricted:latest"' in team("create -f -", input=PRIVILEGED, check=False)
