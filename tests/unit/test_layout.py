"""What keeps the layout: few files per folder, imports downwards, verbs, the field's words, plain English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import layout

ROOT = layout.ROOT
CODE = layout.list_sources("operator", "trainer", "crds", "charts", "integrations", "release")
SOURCES = [*CODE, *layout.list_sources("tests")]
FOLDERS = sorted({path.parent for path in SOURCES})


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_folder_holds_no_more_files_than_one_reads_at_a_glance() -> None:
    assert [name_of(folder) for folder in FOLDERS if len(list(folder.glob("*.py"))) > 15] == []


@pytest.mark.parametrize("package", layout.PACKAGES)
def test_a_package_has_few_rooms_on_few_floors_and_no_circle(package: str) -> None:
    rooms = layout.map_rooms(package)
    assert len(rooms) <= 12
    assert len(layout.sort_into_floors(rooms)) <= 9


def test_no_file_is_named_after_a_conversion() -> None:
    assert [name_of(path) for path in CODE if "_to_" in path.stem] == []


# ---- names

#: First words of functions that do something. A new verb is added here; a noun is not.
_VERBS = """
accept accumulate add advise announce anonymize apply ask attach attempt batch begin bill bootstrap bring build call
canonicalize capture charge check choose classify clean clear close collapse collect commit compare complain complete
compute configure connect continue convert copy count create crop cut decide decode defuse delete describe detect
diagnose dispatch download drain draw drop dump enable encode end ensure enter erase escape estimate evaluate execute
expand expect explain extract fetch fill filter finalize find fine finetune fingerprint finish fit flush fold follow
forget format forward gather generate get give group grow halve hand handle hash hold identify ignore interrupt iter
join judge keep leave list listen load locate lock log login look loosen lose make mark match measure mend merge mix
mount move name nap normalize note observe offer open override pack pad parse patch pause pay peek perform pick plan
pop post prepare print probe prune publish put query quote rank read rebuild recall reconcile record recover redact
redirect refuse register reject release remove render renew repeat replace report request require reserve reset resolve
restart restore reuse review rewrite route run sample sanitize save say schedule search seek select send serve set
settle ship shorten show shuffle skip smooth snapshot sort spend splay split start stay steer step stop store stream
strip suggest sum summarize swap take tell touch track train translate trim truncate try unescape unquote unreserve
unwrap update upload validate verify wait walk warn watch work wrap write
adapt advance answer attend cancel limit outline push raise receive replay scale tame
"""
VERBS = set(_VERBS.split())
#: Idioms whose first word is no verb: predicates, conversions, and names that a library's users know.
IDIOMS = {"is", "has", "can", "may", "should", "needs", "as", "to", "from", "on", "main"}
#: Function names with a participle, each with the reason why it stays.
PARTICIPLES: dict[str, str] = {}


def is_named_by_us(node: layout.Function) -> bool:
    """Dunder methods and properties are named after what they are."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return not node.name.startswith("__") and not any("property" in each for each in decorators)


def list_our_functions() -> list[tuple[Path, layout.Function]]:
    return [(path, node) for path in CODE for node in layout.list_functions(path) if is_named_by_us(node)]


def test_functions_begin_with_a_verb() -> None:
    first = [node.name.strip("_").split("_")[0] for _, node in list_our_functions()]
    led = [word for word in first if word in VERBS or word in IDIOMS]
    assert len(led) / len(first) >= 0.95, sorted({word for word in first if word not in VERBS | IDIOMS})


def test_no_function_is_named_by_a_participle() -> None:
    found = {f"{name_of(path)}: {node.name}" for path, node in list_our_functions() if is_participle(node.name)}
    assert found == set()


def is_participle(name: str) -> bool:
    first = name.strip("_").split("_")[0]
    irregular = {
        "begun",
        "built",
        "chosen",
        "drawn",
        "given",
        "kept",
        "known",
        "made",
        "read_by",
        "taken",
        "told",
        "written",
    }
    return (
        name not in PARTICIPLES
        and (first in irregular or bool(re.fullmatch(r"[a-z]{2,}[^e]ed|[a-z]+ied", first)))
        and first not in VERBS
    )


#: Private words for what the field has words for, and the words to use.
FORBIDDEN = {
    "anew": "again",
    "board": "store",
    "bury": "delete",
    "claim": "reserve, condition; PersistentVolumeClaim is spelled out or pvc",
    "desk": "handler",
    "door": "client",
    "fate": "decision",
    "graves": "tombstones",
    "purse": "limit",
    "row": "queue, record, line, entry",
    "rows": "queues, records, lines, entries",
    "scene": "state",
    "shelf": "store",
    "standing": "summary",
    "told": "reported",
    "turn": "update, queue key",
    "turnstile": "limiter",
    "witness": "recorder",
    "world": "observed",
}
#: Where a forbidden word is somebody else's: a public name, a library's parameter, mathematics.
ALLOWED = {"ROWS": "rows of a MinHash band, as its literature says"}


def iter_identifiers(path: Path) -> Iterator[str]:
    """Yield every name that a file gives: modules, classes, functions, parameters, variables, fields."""
    yield path.stem
    for node in ast.walk(layout.parse(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def split_words(identifier: str) -> list[str]:
    """Split a snake_case or CamelCase name into its words."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier).lower())


def test_identifiers_use_the_fields_words() -> None:
    found = {(path, name) for path in CODE for name in iter_identifiers(path) if name not in ALLOWED}
    assert {
        f"{name_of(path)}: {name}": FORBIDDEN[word]
        for path, name in found
        for word in split_words(name)
        if word in FORBIDDEN
    } == {}


# ---- text that people read

#: Turns of phrase that read as translated, and what to write.
TURNS = {
    r"\banew\b": "again",
    r"\bso many\b": "the number itself",
    r"\bwhoever\b": "who does it",
    r"(?<!there )\b(?:is|are) none\b": "is not one, there is no …",
    r"\b(?:be it|lest)\b": "if, or",
    r"\b(?:tell|tells|told) (?:of|that|by)\b": "say, report",
    r"\b(?:bits|nats|bytes|tokens|posts|writes|requests|reports|Jobs) an? "
    r"(?:token|byte|second|minute|day|run|step)\b": "per",
    r"\bas long as it stands\b": "while",
}
COMPILED = {re.compile(phrase): better for phrase, better in TURNS.items()}
TEXTS = sorted(
    path
    for pattern in (
        "[!C]*.md",
        "CO*.md",
        "Makefile",
        "docs/*.md",
        "docs/*/*.md",
        "crds/*.yaml",
        "charts/*/*.md",
        "charts/*/*.yaml",
        "charts/*/templates/*",
    )
    for path in ROOT.glob(pattern)
    if path.is_file() and path.parent.name not in ("decisions", "e2e", "benchmarks")
)


def test_text_is_plain_english() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()} (write: {better})"
        for path in (*TEXTS, *SOURCES)
        if path.name != "test_layout.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for phrase, better in COMPILED.items()
        if phrase.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/glossary.md", "CONTRIBUTING.md"])
def test_the_map_names_files_that_exist(page: str) -> None:
    names = re.findall(r"[\w/…<>]*\w\.py\b", (ROOT / page).read_text(encoding="utf-8"))
    there = [f"/{path.relative_to(ROOT)}" for path in SOURCES]
    wanted = {name: "/" + name.rpartition("…")[2].strip("/") for name in names if "<" not in name}
    assert {name for name, end in wanted.items() if not any(path.endswith(end) for path in there)} == set()
