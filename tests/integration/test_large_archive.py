"""An export of 100,000 posts that unpacks to a gibibyte, read in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from archives.large import LONG_EVERY, write_large

POSTS, UNPACKED = 100_000, 1024**3
MEMORY_LIMIT_KIB = 300 * 1024
#: Counts the posts, and says what the process needed at most: the kernel counts VmHWM anew for each program.
PROGRAM = """
import json, pathlib, re, sys
from tweetbot_trainer.sources.archive import ArchiveSource
from tweetbot_trainer.store.folder import FolderStore
posts = sum(1 for _ in ArchiveSource(pathlib.Path(sys.argv[1]).as_uri(), 0, FolderStore()).posts())
status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps({"posts": posts, "peak": int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])}))
"""


def test_a_large_export_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    assert write_large(path, posts=POSTS, unpacked=UNPACKED) >= UNPACKED
    command = [sys.executable, "-c", PROGRAM, str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=1800)
    told = json.loads(done.stdout)
    log = json.loads(done.stderr)
    assert (told["posts"], log["joined"]) == (POSTS, POSTS // LONG_EVERY)
    assert told["peak"] <= MEMORY_LIMIT_KIB, f"{told['peak']} KiB at the peak"
