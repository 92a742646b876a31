"""A large export, from the zip to the dataset in a process of its own: every 100,000 posts are a gibibyte unpacked.

`make soak` takes 100,000. Read whole, the smaller one would exceed the limit several times over as well.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from archives.large import LONG_EVERY, write_large

POSTS = int(os.environ.get("SOAK_POSTS", "10000"))
UNPACKED = POSTS * 1024**3 // 100_000
MEMORY_LIMIT_KIB = 300 * 1024
#: Prepares the dataset, and says what the process needed at most: the kernel counts VmHWM for each program.
PROGRAM = """
import dataclasses, json, pathlib, re, sys
sys.path[:0] = json.loads(sys.argv[2])
from builders.stages import a_context, a_local_run
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.prepare import prepare
folder = pathlib.Path(sys.argv[1])
run = a_local_run(folder, spec={"sources": [{"archive": {"uri": (folder / "large.zip").as_uri()}}]})
result = prepare(dataclasses.replace(a_context(folder, run), log=Log()))
status = pathlib.Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])
print(json.dumps({"table": result.dataset.table.to_dict(), "uri": result.dataset.uri, "peak": peak}))
"""


def test_a_large_export_is_prepared_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    assert write_large(path, posts=POSTS, unpacked=UNPACKED) >= UNPACKED
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps(sys.path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=3000)
    told = json.loads(done.stdout)
    events = {event["event"]: event for event in map(json.loads, done.stderr.splitlines())}
    assert events["archive.read"]["joined"] == POSTS // LONG_EVERY
    assert told["table"] == {**told["table"], "downloaded": POSTS, "kept": POSTS}
    ids = Path(told["uri"].removeprefix("file://")) / "ids.jsonl"
    assert len(ids.read_bytes().splitlines()) == POSTS
    assert told["peak"] <= MEMORY_LIMIT_KIB, f"{told['peak']} KiB at the peak"
