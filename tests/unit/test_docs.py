"""The hand-written docs agree with the code."""

import re
from pathlib import Path

import pytest

from tweetbot_contract import reasons
from tweetbot_contract.platform_class.prices import Prices
from tweetbot_demo.docs_pictures import read_transcript, render_terminal
from tweetbot_operator.settings import OperatorSettings

ROOT = Path(__file__).parents[2]
PAGES = [
    *(
        ROOT / name
        for name in (
            "README.md",
            "SECURITY.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "charts/tweetbot-operator/README.md",
        )
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("name", OperatorSettings.model_fields)
def test_every_setting_is_documented_in_its_own_words(name: str) -> None:
    field = OperatorSettings.model_fields[name]
    default = f" `{field.default}`" if field.default not in ("", (), Prices()) else " "
    row = f"| `TWEETBOT_{name.upper()}` |{default} | {field.description}"
    assert f"\n{row}" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_no_unknown_setting_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `TWEETBOT_([A-Z_]+)`", text, flags=re.MULTILINE))
    assert documented == {name.upper() for name in OperatorSettings.model_fields}


def test_operator_trainer_or_schema_gives_every_documented_reason() -> None:
    givers = ("operator", "trainer", "crds/tweetbot_contract/generate")  # the schema, while there is no operator
    sources = [path for giver in givers for path in (ROOT / giver).rglob("*.py")]
    words = set(re.findall(r"\b[A-Z_]+\b", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    constants = {name for name, value in vars(reasons).items() if isinstance(value, reasons.Reason)}
    assert constants - words == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text) + re.findall(r'<img src="([^"]+)"', text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_first_screen_of_the_readme_has_pictures_that_are_read_out_too() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("## ")[0]
    shown = dict(re.findall(r'<img src="docs/pictures/([^"]+)"[^>]* alt="([^"]+)"', first))
    assert list(shown) == ["predictions.png", "loss.png", "terminal.svg"]


def test_the_terminal_shows_the_transcript_of_the_readme() -> None:
    drawn = (ROOT / "docs" / "pictures" / "terminal.svg").read_text(encoding="utf-8")
    assert drawn == render_terminal(read_transcript()), "run make pictures"


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "threat-model").glob("*.md")), ids=lambda page: page.stem)
def test_every_test_that_the_threat_model_names_exists(page: Path) -> None:
    named = set(re.findall(r"\btest_\w+", page.read_text(encoding="utf-8")))
    assert named - {file.stem for file in (ROOT / "tests").rglob("test_*.py")} == set()


def test_the_adoption_page_answers_each_of_twenty_five_checks_with_a_link() -> None:
    text = (ROOT / "docs" / "adoption.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, 26))
    assert [row for row in rows if not re.match(r"(Yes|In part)[.,]? ", row[2])] == []
    assert [number for number, _, _, links in rows if not re.search(r"\]\([^)]+\)", links)] == []
    assert [number for number, _, answer, _ in rows if answer.startswith("In part") and "planned" not in answer] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_anchor_names_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://)([^)#\s]*\.md)?#([^)\s]+)\)", text)
    assert [
        f"{file}#{anchor}" for file, anchor in links if anchor not in list_anchors(page.parent / file if file else page)
    ] == []


def list_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
