"""The demo step by step: apply the manifest, watch it, show the result."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tweetbot_demo.archive import HANDLE, write_archive
from tweetbot_demo.demo_cluster import BUCKET, DemoCluster, DemoFailed
from tweetbot_demo.screen import Screen
from tweetbot_demo.watching import Follower, follow_progress, follow_table

MANIFEST = "crds/examples/quickstart.yaml"
NAME = "quickstart"
TIME_LIMIT = 600.0  # seconds until the demo gives up; it takes about one minute on two cores
MODEL_FILES = ("model/", "report/")


def run_demo(cluster: DemoCluster, screen: Screen, root: Path) -> None:
    """Run the demo. Raises DemoFailed."""
    _upload_archive(cluster, screen)
    screen.print_line(f"$ kubectl apply -f {MANIFEST}")
    screen.print_line(cluster.run("apply", "-f", str(root / MANIFEST)).strip())
    screen.print_line("$ kubectl get tweetbots --watch")
    status = _watch(cluster, screen)
    _show_status(cluster, screen)
    _show_data(screen, status)
    folder = _download(cluster, status, root / "build" / "demo").relative_to(root)
    _show_bucket(cluster, screen)
    _show_posts(screen, status)
    _show_files(screen, status, folder)


def _upload_archive(cluster: DemoCluster, screen: Screen) -> None:
    """Write the fictional account's X export and upload it to where the manifest expects it."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_archive(Path(folder) / "archive.zip")
        key = f"archives/{HANDLE}.zip"
        cluster.s3.put_object(Bucket=BUCKET, Key=key, Body=written.path.read_bytes())
    screen.print_line(f"The X archive of @{HANDLE} ({written.posts} posts, all made up) lies at s3://{BUCKET}/{key}.")


def _watch(cluster: DemoCluster, screen: Screen) -> dict[str, Any]:
    """Show kubectl's table and the bar until the model is ready, and return the status."""
    with Follower(follow_table(cluster, screen)), Follower(follow_progress(cluster, screen, NAME)):
        status = _wait_until_done(cluster)
    screen.finish_bar()
    return status


def _wait_until_done(cluster: DemoCluster) -> dict[str, Any]:
    deadline = time.monotonic() + TIME_LIMIT
    while time.monotonic() < deadline:
        status: dict[str, Any] = json.loads(cluster.run("get", "tweetbot", NAME, "-o", "json")).get("status", {})
        conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
        if conditions.get("ModelReady", {}).get("status") == "True" and status["phase"] == "Succeeded":
            return status
        if conditions.get("Stalled", {}).get("status") == "True":
            raise DemoFailed(f"{conditions['Stalled']['reason']}: {conditions['Stalled']['message']}")
        time.sleep(0.5)
    raise DemoFailed(f"no model after {TIME_LIMIT:.0f} s; see {cluster.operator_log or 'the logs of the operator'}")


def _show_status(cluster: DemoCluster, screen: Screen) -> None:
    screen.print_heading("The resource's status")
    screen.print_line(cluster.run("get", "tweetbots", "-o", "wide").rstrip())
    status = json.loads(cluster.run("get", "tweetbot", NAME, "-o", "json"))["status"]
    screen.print_line("")
    screen.print_table(
        (condition["type"], f"{condition['status']:<8}{condition['reason']}") for condition in status["conditions"]
    )
    metrics = status["metrics"]
    screen.print_line("")
    screen.print_table(
        [
            ("training loss", f"{metrics['firstTrainLoss']:.2f} at the start, {metrics['trainLoss']:.2f} at the end"),
            ("held-out loss", f"{metrics['evalLoss']:.2f}, perplexity {metrics['perplexity']:.1f}"),
            ("bits per byte", f"{metrics['bitsPerByte']:.2f} on the newest posts, which training never saw"),
            ("speed", f"{metrics['tokensPerSecond']:,.0f} tokens/s, {metrics['trainSeconds']:.0f} s in all"),
        ]
    )


def _show_data(screen: Screen, status: dict[str, Any]) -> None:
    screen.print_heading("The data table")
    names = {
        "downloaded": "Tweets downloaded",
        "retweets": "Retweets",
        "edits": "Earlier versions",
        "replies": "Replies dropped",
        "languages": "Other languages",
        "short": "Short tweets",
        "duplicates": "Near-duplicates",
        "kept": "Tweets kept",
        "redacted": "of these redacted",
    }
    screen.print_table((label, status["data"][name]) for name, label in names.items() if status["data"].get(name))


def _list_objects(cluster: DemoCluster, prefix: str) -> list[tuple[str, int]]:
    pages = cluster.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", ())]


def _show_bucket(cluster: DemoCluster, screen: Screen) -> None:
    screen.print_heading(f"s3://{BUCKET}")
    for key, size in _list_objects(cluster, ""):
        screen.print_line(f"  {size:>10,}  {key}")


def _show_posts(screen: Screen, status: dict[str, Any]) -> None:
    screen.print_heading("Five posts that the model wrote")
    for sample in status["samples"][:5]:
        screen.print_line(f"  • {sample['text']}")


def _download(cluster: DemoCluster, status: dict[str, Any], folder: Path) -> Path:
    """Copy the model version and its dataset into the working tree: the demo's bucket is gone when the demo ends."""
    version = status["model"]["uri"].removeprefix(f"s3://{BUCKET}/").removesuffix("/").removesuffix("/model")
    bot, digest = version.rpartition("/models/")[0], status["data"]["digest"]
    for source, copy in ((version, folder), (f"{bot}/datasets/{digest}", folder / "datasets" / digest)):
        for key, _ in _list_objects(cluster, f"{source}/"):
            target = copy / key.removeprefix(f"{source}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            cluster.s3.download_file(BUCKET, key, str(target))
    return folder


def _show_files(screen: Screen, status: dict[str, Any], folder: Path) -> None:
    screen.print_heading("Where it lies")
    screen.print_table(
        [
            ("model", status["model"]["uri"]),
            ("copy of it", folder / "model"),
            ("its posts", folder / "datasets"),
            ("model card", folder / "model" / "README.md"),
            ("pictures", f"{folder / 'model' / 'loss.png'}, {folder / 'model' / 'predictions.png'}"),
        ]
    )
    screen.print_line("\nOn a cluster that stays (make cluster-up), ask how it is, why, and what comes next:")
    screen.print_line(f"  PATH=$PWD/.venv/bin:$PATH kubectl tweetbot status {NAME}")
    where = f"--model {folder / 'model'} --dataset {folder / 'datasets'}/*"
    screen.print_line("\nAsk it for more, none of them a copy:")
    screen.print_line(f"  .venv/bin/tweetbot-trainer generate {where} -n 5")
    screen.print_line("\nOr open its playground in the browser (Ctrl-C ends it):")
    screen.print_line(f"  .venv/bin/tweetbot-trainer serve {where}")
