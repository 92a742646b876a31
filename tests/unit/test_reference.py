"""docs/reference.md has every name that we write into a cluster or read there, and no other."""

import re
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.generate.crd import build_crd
from tweetbot_contract.handover import GROUP, PERMANENT_EXIT_CODES, ExitCode
from tweetbot_operator.client import events

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("operator", "crds/tweetbot_contract")
    for path in (ROOT / folder).rglob("*.py")
}
CODE = "\n".join(SOURCES.values())
#: Names in the code that are no label, annotation or finalizer of ours or read by us.
OTHERS = {
    "tweetbot.dev/operator",  # reports Events
    "kubernetes.io/job-controller",  # a value
    "kopf.internal.tweetbot.dev/never-used",  # which kopf would take away, and nobody sets
}


def read_rows(section: str) -> set[str]:
    """Return the names in the first column of a section's tables."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `?([^`|]+?)`? \|", text, flags=re.MULTILINE)) - {"---"}


def test_every_label_annotation_and_finalizer_is_there() -> None:
    groups = dict(re.findall(r'(_?[A-Z]+)[, _A-Z]* = "([a-z0-9.-]+\.(?:dev|io))"', CODE))
    assert GROUP in groups.values()
    code = re.sub(r"\{(_?[A-Z]+)\}/", lambda found: f"{groups.get(found[1], '')}/", CODE)
    written = set(re.findall(r'"([a-z0-9.-]+\.(?:dev|io)/[a-z-]+)[="]', code))
    documented = read_rows("Labels") | read_rows("Annotations and finalizers")
    assert documented - {"label", "annotation", "finalizer"} == written - OTHERS


def test_every_exit_code_is_there() -> None:
    text = PAGE.partition("## Exit codes\n")[2].partition("\n## ")[0]
    rows = {
        int(code): (name, who) for code, name, who in re.findall(r"^\| (\d+) \| `(\w+)` \| (\w+)", text, re.MULTILINE)
    }
    assert {code: name for code, (name, _) in rows.items()} == {code.value: code.name for code in ExitCode}
    assert {code for code, (_, who) in rows.items() if who == "The"} == set(PERMANENT_EXIT_CODES)


def test_every_selectable_field_is_there() -> None:
    (version,) = build_crd()["spec"]["versions"]
    fields = {field["jsonPath"].removeprefix(".") for field in version["selectableFields"]}
    always = {"metadata.name", "metadata.namespace"}
    assert read_rows("Fields by which the API server selects") - {"field"} == fields | always


def test_every_event_that_is_no_change_of_a_condition_is_there() -> None:
    text = PAGE.partition("## Events\n")[2].partition("\n## ")[0]
    warned = set(re.findall(r"\.warn(?:_job)?\(\s*\w+, ([A-Z_]+)\.name", CODE))
    warned |= set(re.findall(r"_write_failure\(\w+, \w+, ([A-Z_]+),", CODE))
    posted = set(re.findall(r"_build_spec\(reasons\.([A-Z_]+)\.name", SOURCES[Path(events.__file__)]))
    assert len(warned) > 3
    assert len(posted) > 0
    named = {getattr(reasons, name).name for name in warned | posted}
    assert {name for name in named if f"`{name}`" not in text} == set()
    assert {kind for kind in events._ADVISORIES if f"`{kind}`" not in text} == set()


def test_every_reason_that_the_page_names_exists() -> None:
    text = PAGE.partition("## Events\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\|[^|]*\|[^|]*\| ([^|]*) \|$", text, flags=re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([A-Z]\w+)`", cell)}
    assert named - {"Progressing", "Stalled", "LeaderElection"} <= set(reasons.BY_NAME)
