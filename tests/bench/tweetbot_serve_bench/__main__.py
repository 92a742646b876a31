"""`make bench-serve`: print the figures as JSON on stdout; a minute on two cores."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from tweetbot_quality_bench.__main__ import describe_machine
from tweetbot_serve_bench.models import MODELS, write_model

PORT = 18642
#: Starts of the server, and requests of each start.
STARTS, REQUESTS = 3, 6
PROMPT, POSTS = "My dream is", 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-serve", description=__doc__)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=tuple(MODELS), help="which shapes to serve")
    parser.add_argument("--folder", action="append", type=Path, default=[], help="a published model to serve, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folders = {name: Path(home) / name.rpartition("/")[2] for name in asked.models}
        for name, folder in folders.items():
            write_model(MODELS[name], folder)
        folders |= {str(folder): folder for folder in asked.folder}
        figures = {name: measure_model(folder) for name, folder in folders.items()}
    json.dump({**describe_machine(), "models": figures}, sys.stdout, indent=2)
    print()


def measure_model(folder: Path) -> dict[str, Any]:
    """Start the server several times, and ask it for posts as the page does."""
    starts, stops, answers = list[float](), list[float](), list[dict[str, float]]()
    for _ in range(STARTS):
        with run_server(folder, starts, stops):
            answers += [ask_for_posts(seed) for seed in range(REQUESTS)]
    firsts = [answer["first"] for answer in answers]
    return {
        "startSeconds": {"median": round(median(starts), 2), "all": [round(each, 2) for each in starts]},
        "stopSeconds": round(max(stops), 2),
        "firstPostMilliseconds": {
            "coldest": round(max(firsts[::REQUESTS])),
            "median": round(median(firsts)),
            "p90": round(quantiles(firsts, n=10)[-1]),
        },
        "fivePostsMilliseconds": round(median(answer["all"] for answer in answers)),
        "charactersPerPost": round(mean(answer["characters"] for answer in answers)),
    }


@contextmanager
def run_server(folder: Path, starts: list[float], stops: list[float]) -> Iterator[None]:
    """Run the command, and note the seconds until it answers and those until it has ended."""
    begun = time.monotonic()
    command = ["tweetbot-trainer", "serve", "--model", str(folder), "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not is_ready():
            time.sleep(0.01)
        starts.append(time.monotonic() - begun)
        yield
    finally:
        begun = time.monotonic()
        server.terminate()
        server.wait(30)
        stops.append(time.monotonic() - begun)


def is_ready() -> bool:
    """Tell whether the server answers."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def ask_for_posts(seed: int) -> dict[str, float]:
    """Return the milliseconds until the first post and until the last, and the length of a post."""
    connection, begun = HTTPConnection("127.0.0.1", PORT, timeout=120), time.monotonic()
    body = json.dumps({"prompt": PROMPT, "count": POSTS, "seed": seed})
    connection.request("POST", "/api/posts", body, {"Accept": "text/event-stream"})
    answer, first, lengths = connection.getresponse(), 0.0, []
    while line := answer.readline():
        name, _, content = line.decode().partition(": ")
        if name == "data" and "text" in (post := json.loads(content)):
            first = first or time.monotonic() - begun
            lengths.append(len(post["text"]))
    connection.close()
    return {"first": 1000 * first, "all": 1000 * (time.monotonic() - begun), "characters": mean(lengths)}


if __name__ == "__main__":
    main()
