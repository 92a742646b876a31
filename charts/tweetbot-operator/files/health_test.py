"""`helm test`: the operator's Service answers, its caches are filled, and its figures are there."""

import sys
import urllib.request

for path, wanted in (("/healthz", "ok"), ("/readyz", "ok"), ("/metrics", "tweetbot_leader")):
    with urllib.request.urlopen(sys.argv[1] + path, timeout=10) as answer:  # noqa: S310 - the Service's own address
        text = answer.read().decode()
    if wanted not in text:
        sys.exit(f"{path} says: {text[:200]}")
    print(f"{path}: {answer.status}")
