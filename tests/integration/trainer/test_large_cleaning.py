"""Many posts through the recipe modern, near-duplicates and all, in a process of its own; `make soak` takes 100,000."""

import json
import os
import subprocess
import sys

POSTS = int(os.environ.get("SOAK_POSTS", "12000"))
#: 100,000 posts must fit into 300 MiB; what each of them adds to an interpreter of 60 MiB is judged by the share.
MEMORY_LIMIT_KIB = (60 + 240 * POSTS // 100_000) * 1024
#: Every tenth post repeats another one, but for its case.
PROGRAM = """
import json, pathlib, random, re, sys
from datetime import UTC, datetime, timedelta
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import DropCounts, clean
from tweetbot_trainer.data.posts import Post

def texts():
    text = ""
    for number in range(int(sys.argv[1])):
        again = text.upper() if number % 10 == 9 else ""
        text = " ".join(f"w{random.randrange(50_000)}" for place in range(5 + number % 20))
        yield again or text

random.seed(7)
start = datetime(2015, 1, 1, tzinfo=UTC)
posts = (Post(str(10**18 + n), text, start + timedelta(minutes=n), "en") for n, text in enumerate(texts()))
counts = DropCounts()
for cleaned in clean(posts, Filter()):
    counts.add(cleaned)
table = counts.build_table()
status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps({"table": table.to_dict(), "peak": int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])}))
"""


def test_many_posts_are_cleaned_in_little_memory() -> None:
    command = [sys.executable, "-c", PROGRAM, str(POSTS)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=1800).stdout)
    assert told["table"]["duplicates"] == POSTS // 10
    assert told["table"]["kept"] == POSTS - POSTS // 10
    assert told["peak"] <= MEMORY_LIMIT_KIB, f"{told['peak']} KiB at the peak"
