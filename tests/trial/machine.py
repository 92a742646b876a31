"""What prepare costs: seconds for 3,219 archived posts, and memory for 100,000, each in a process of its own."""

import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from trial.words import make_sentence
from trial.x_accounts import write_whole_archive

#: The posts of huggingtweets' example card, and those of the largest accounts that the bound on memory is for.
ARCHIVED, MANY = 3219, 100_000


def measure_prepare(folder: Path, source: dict[str, Any], filter: dict[str, Any]) -> dict[str, Any]:
    """Prepare a source in a process of its own; return seconds beyond its start, its peak memory and the data table."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        found: dict[str, Any] = fresh.submit(prepare_here, folder, source, filter).result()
    return found


def prepare_here(folder: Path, source: dict[str, Any], filter: dict[str, Any]) -> dict[str, Any]:
    """Do the same in this process; the dataset goes into a subfolder with the recipe's name."""
    from builders.stages import a_context, a_local_run
    from tweetbot_trainer.stages.prepare import prepare

    output = {"s3": {"uri": f"file://{folder}/{filter.get('recipe', 'modern')}"}}
    run = a_local_run(folder, spec={"sources": [source], "filter": filter, "output": output})
    wall, cpu = time.perf_counter(), time.process_time()
    table = prepare(a_context(folder, run)).dataset.table
    costs = {"seconds": round(time.perf_counter() - wall, 2), "cpuSeconds": round(time.process_time() - cpu, 2)}
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {**costs, "peakMiB": int(peak) // 1024, **table.to_dict()}


def measure_machine(folder: Path) -> dict[str, Any]:
    """Return what an archive and a file of many posts cost."""
    random = Random(1)
    archive, many = folder / "archive", folder / "many"
    archive.mkdir()
    (archive / "gull.zip").write_bytes(write_whole_archive(random, ARCHIVED))
    many.mkdir()
    with (many / "gull.jsonl").open("w", encoding="utf-8") as file:
        for number in range(MANY):
            record = {"id": str(number), "text": make_sentence(random, 2, 28), "lang": "en"}
            file.write(json.dumps(record) + "\n")
    return {
        "archived": _list_costs(archive, {"archive": {"uri": f"file://{archive}/gull.zip"}}),
        "many": _list_costs(many, {"posts": {"uri": f"file://{many}/gull.jsonl", "format": "jsonl"}}),
    }


def _list_costs(folder: Path, source: dict[str, Any]) -> dict[str, Any]:
    found = measure_prepare(folder, source, {})
    return {name: found[name] for name in ("downloaded", "kept", "seconds", "cpuSeconds", "peakMiB")}
