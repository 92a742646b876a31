"""`make release`: a whole release of HEAD into dist/."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tweetbot_cluster.binaries import HELM, BuildFailed, find_or_build, to_stderr
from tweetbot_release.chart import choose_places, pack_chart, render_plain, stamp_chart
from tweetbot_release.images import collect_images
from tweetbot_release.materials import describe_extra, describe_image
from tweetbot_release.packages import build_packages, write_requirements
from tweetbot_release.provenance import write_provenance
from tweetbot_release.signing import sign
from tweetbot_release.source import ReleaseFailed, Source, check_version, cut_notes, export_source

ROOT = Path(__file__).parents[2]


def make_release(source: Source, arguments: argparse.Namespace, dist: Path) -> str:
    """Fill an empty folder with the release; return what is to say about its signature."""
    images = collect_images(source, arguments.images, dist)
    helm = find_or_build(os.environ, to_stderr, (HELM,))["helm"]
    notes = cut_notes((source.folder / "CHANGELOG.md").read_text(encoding="utf-8"), source.version)
    (dist / "RELEASE_NOTES.md").write_text(notes, encoding="utf-8")
    wheel = build_packages(source, dist)
    for requirements in write_requirements(source, dist, wheel):
        describe_extra(arguments.cyclonedx, source, requirements)
    stamp_chart(source, images, choose_places(os.environ))
    pack_chart(source, dist)
    render_plain(source, helm, dist)
    for image in images:
        describe_image(image, source)
    return sign(write_provenance(source, dist, images, os.environ), os.environ)


def parse_arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="tweetbot_release", description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--images", default="build", help="build (the default), none, or a folder with OCI archives")
    parser.add_argument("--cyclonedx", type=Path, required=True, help="the program cyclonedx-py")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    return parser.parse_args()


def main() -> int:
    """Make the release beside dist/ and put it in its place once it is complete; return the exit code."""
    arguments = parse_arguments()
    arguments.dist.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.dist.parent, prefix=".release-") as scratch:
        dist, tree = Path(scratch) / "dist", Path(scratch) / "tree"
        dist.mkdir()
        try:
            source = export_source(ROOT, tree)
            check_version(source, arguments.version)
            sentence = make_release(source, arguments, dist)
        except (ReleaseFailed, BuildFailed) as error:
            print(f"make release: {error}", file=sys.stderr)
            return 1
        shutil.rmtree(arguments.dist, ignore_errors=True)
        dist.replace(arguments.dist)
    print(f"{arguments.dist} has {source.version} of {source.commit[:9]}; {sentence}.")
    if arguments.images == "none":
        print("It has no images, and so the chart names them by tag, not by digest.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
