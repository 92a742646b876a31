"""`helm test`: check that the operator's Service answers, that its caches are filled, and that it has metrics.

A node learns of a new Service a moment after the Pods are ready, so requests are retried. Arguments: URL, seconds.
"""

import sys
import time
import urllib.request

address, timeout = sys.argv[1], float(sys.argv[2])


def fetch(path, deadline):
    """Request a path until it is answered or the deadline has passed; return the answer's text."""
    while True:
        try:
            with urllib.request.urlopen(address + path, timeout=10) as answer:  # noqa: S310 - the URL is the Service's
                return answer.read().decode()
        except OSError as error:
            if time.monotonic() > deadline:
                sys.exit(f"{path}: {error}")
            time.sleep(1)


for path, wanted in (("/healthz", "ok"), ("/readyz", "ok"), ("/metrics", "tweetbot_leader")):
    text = fetch(path, time.monotonic() + timeout)
    if wanted not in text:
        sys.exit(f"{path} answers: {text[:200]}")
    print(f"{path}: ok")
