"""The site has every page once, its links hold there, and its drawn pictures show what the code does."""

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from tweetbot_contract.status import Phase
from tweetbot_faults.memory.play import learn
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_site.contents import list_pages
from tweetbot_site.pages import find_linked, move_links, place, read_pages
from tweetbot_site.pictures import DRAWN, PHASES, PICTURES, WAYS
from tweetbot_site.versions import add_version, sort_versions

ROOT = Path(__file__).parents[3]


def test_the_contents_have_every_page_once() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "charts").glob("*/README.md")]
    names = {str(path.relative_to(ROOT)) for path in pages} - {"README.md"} | {"tests/cluster/README.md"}
    assert sorted(list_pages()) == sorted(names), "docs/contents.yaml says where a page stands"


def test_no_two_files_have_the_same_place() -> None:
    names = {*read_pages(), *find_linked(read_pages())}
    assert len({place(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("page", "text", "moved"),
    [
        ("README.md", "[a](docs/tutorial.md#without-a-cluster)", "[a](tutorial.md#without-a-cluster)"),
        ("README.md", '<img src="docs/pictures/loss.png">', '<img src="pictures/loss.png">'),
        ("README.md", "[a](docs/decisions)", "[a](decisions/index.md)"),
        ("docs/runbooks/TweetBotWaits.md", "[a](../queues.md)", "[a](../queues.md)"),
        ("docs/security.md", "[a](../SECURITY.md#x)", "[a](project/security.md#x)"),
        ("SECURITY.md", "[a](docs/threat-model/README.md)", "[a](../threat-model/index.md)"),
        ("docs/adoption.md", "[a](../tests/unit/test_alerts.py)", "[a](source/tests/unit/test_alerts.py.md)"),
        ("docs/install.md", "[a](../charts/tweetbot-operator/README.md)", "[a](chart.md)"),
        ("docs/install.md", "[a](https://example.org/b.md), [c](#d)", "[a](https://example.org/b.md), [c](#d)"),
        ("docs/install.md", "```\n[a](../b.md)\n```", "```\n[a](../b.md)\n```"),
    ],
)
def test_a_link_leads_to_the_same_thing_in_the_site(page: str, text: str, moved: str) -> None:
    assert move_links(text, page) == moved


def test_no_page_has_a_diagram_that_a_browser_would_fetch_a_program_for() -> None:
    assert [name for name, text in read_pages().items() if "```mermaid" in text] == []


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_picture_is_the_one_in_the_docs(name: str) -> None:
    assert (PICTURES / name).read_text(encoding="utf-8") == DRAWN[name](), "run make pictures"


def test_the_life_of_a_run_shows_every_phase() -> None:
    assert set(PHASES) == set(get_args(Phase))
    assert {phase for start, end, _ in WAYS for phase in (*start, *end)} == set(PHASES)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_run_goes_no_other_way_than_the_picture_shows(workload: str) -> None:
    lives: dict[str, list[str]] = {}
    for change in learn(workload).evidence.changes:
        if change.kind == "tweetbots":
            phase = change.object.get("status", {}).get("phase", "Pending")
            lives.setdefault(change.uid, []).append(phase)
    drawn = {(before, after) for start, end, _ in WAYS for before in start for after in end}
    gone = {way for life in lives.values() for way in pairwise(life) if way[0] != way[1]}
    assert gone
    assert gone <= drawn


def test_the_newest_release_is_the_first_that_visitors_see(tmp_path: Path) -> None:
    built = tmp_path / "built"
    built.mkdir()
    (built / "index.html").write_text("hello")
    for version in ("0.9.0", "main", "0.10.0"):
        add_version(tmp_path / "site", version, built, "https://example.org")
    assert sort_versions({"0.9.0", "main", "0.10.0"}) == ["0.10.0", "0.9.0", "main"]
    assert "url=0.10.0/index.html" in (tmp_path / "site" / "index.html").read_text()


def test_the_page_on_the_trainers_log_explains_every_event() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "trainer").rglob("*.py"))
    written = set(re.findall(r'log\.(?:info|warning|error)\(\s*"([a-z_.]+)"', sources))
    page = (ROOT / "docs" / "trainer-log.md").read_text(encoding="utf-8")
    kinds = {event.partition(".")[0] for event in written}
    named = {name for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", page) if name.partition(".")[0] in kinds}
    assert {name for name in named if "." in name or name in written} == written
