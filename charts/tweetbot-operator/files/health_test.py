"""`helm test`: check that the operator's Service answers, that its caches are filled, and that it has metrics.

A node learns of a new Service a moment after the Pods are ready, so requests are retried. Arguments: URL, seconds, and
what /metrics answers to somebody without a certificate. Whose certificate the operator has is Prometheus' to check.
"""

import ssl
import sys
import time
import urllib.error
import urllib.request

address, timeout, metrics = sys.argv[1], float(sys.argv[2]), sys.argv[3]
anybody = ssl._create_unverified_context()  # noqa: S323


def fetch(path, deadline):
    """Request a path until it is answered or the deadline has passed; return the answer's text."""
    while True:
        try:
            with urllib.request.urlopen(address + path, timeout=10, context=anybody) as answer:  # noqa: S310 - our Service
                return answer.read().decode()
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 401:
                return error.read().decode()
            if time.monotonic() > deadline:
                sys.exit(f"{path}: {error}")
            time.sleep(1)


for path, wanted in (("/healthz", "ok"), ("/readyz", "ok"), ("/metrics", metrics)):
    text = fetch(path, time.monotonic() + timeout)
    if wanted not in text:
        sys.exit(f"{path} answers: {text[:200]}")
    print(f"{path}: ok")
