"""Build the docs as a site, offline: `python -m tweetbot_site [--version V] [--url URL] [--out FOLDER]`."""

import argparse
import os
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from tweetbot_site.checks import find_foreign_requests, find_unknown_words
from tweetbot_site.contents import ROOT
from tweetbot_site.pages import read_pages
from tweetbot_site.stage import stage
from tweetbot_site.versions import UNRELEASED, add_version


def main() -> int:
    """Build, check, and add the version to those that the folder has; the exit code is 1 if anything is wrong."""
    asked = parse_arguments()
    work: Path = asked.out.parent / "site-work"
    stage(work)
    code = build(work, asked.version, asked.url)
    wrong = [*find_foreign_requests(work / "html"), *find_unknown_words(read_pages())]
    print(*wrong, sep="\n", end="\n" * bool(wrong), file=sys.stderr)
    if code or wrong:
        return 1
    add_version(asked.out, asked.version, work / "html", asked.url)
    print(f"{len(list((work / 'html').rglob('*.html')))} pages: {asked.out / asked.version / 'index.html'}")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="tweetbot_site", description=__doc__)
    parser.add_argument("--version", default=UNRELEASED, help="the release that these docs belong to")
    parser.add_argument(
        "--url", default="", type=lambda url: url.rstrip("/"), help="where the site is published, if it is"
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "site", help="a folder that may have other versions"
    )
    return parser.parse_args()


def build(work: Path, version: str, url: str) -> int:
    """Render the pages with Sphinx; a warning, such as of a link that leads nowhere, is an error."""
    os.environ |= {"SITE_VERSION": version, "SITE_URL": url, "SITE_EXTRA": str(work / "extra")}
    options = ["-b", "html", "-q", "-W", "--keep-going", "-n", "-c", str(Path(__file__).parent)]
    return int(build_main([*options, str(work / "pages"), str(work / "html")]))


if __name__ == "__main__":
    sys.exit(main())
