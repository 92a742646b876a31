"""`helm test`: the operator's Service answers, its caches are filled, and its figures are there.

Nodes learn of a new Service a moment after its Pods are ready, so an answer is waited for. Arguments: address, seconds.
"""

import sys
import time
import urllib.request

address, patience = sys.argv[1], float(sys.argv[2])


def said(path, until):
    """Return what the operator says, at the latest when the clock says so."""
    while True:
        try:
            with urllib.request.urlopen(address + path, timeout=10) as answer:  # noqa: S310 - the Service's own
                return answer.read().decode()
        except OSError as error:
            if time.monotonic() > until:
                sys.exit(f"{path}: {error}")
            time.sleep(1)


for path, wanted in (("/healthz", "ok"), ("/readyz", "ok"), ("/metrics", "tweetbot_leader")):
    text = said(path, time.monotonic() + patience)
    if wanted not in text:
        sys.exit(f"{path} says: {text[:200]}")
    print(f"{path}: ok")
