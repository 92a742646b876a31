"""Lays the pages out for Sphinx: texts with moved links, a hub for each reader, the files that they link to."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tweetbot_site.contents import ROOT, Reader, list_folder, read_contents
from tweetbot_site.pages import find_linked, move_links, place, read_pages

_LANGUAGES = {".py": "python", ".yaml": "yaml", ".lua": "lua"}
#: No contents name such a page, and no search finds it.
_ORPHAN = "---\norphan: true\nno-search: true\n---\n"


def stage(folder: Path) -> None:
    """Write everything that the site is built from: `pages`, and `extra` for what goes there as it is."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = read_pages()
    texts = {place(name): move_links(text, name) for name, text in pages.items()}
    readers = read_contents()
    folders = [name for one in readers for shelf in one.shelves for name in shelf.names if list_folder(name)]
    linked = sorted(
        name for name in find_linked(pages) - set(folders) if (ROOT / name).exists()
    )  # Sphinx says what is not
    for name in linked:
        texts |= _show(name, pages)
    texts |= {place(name): _render_folder(name, pages) for name in folders}
    texts |= {f"{reader.name}.md": _render_hub(reader, pages) for reader in readers}
    texts["index.md"] += _render_tree([reader.name for reader in readers])
    for target, text in texts.items():
        _write(folder / "pages" / target, text)
    for name in linked:
        if (ROOT / name).is_file() and place(name) not in texts:
            for kind in ("pages", "extra"):
                _copy(ROOT / name, folder / kind / place(name))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _render_hub(reader: Reader, pages: Mapping[str, str]) -> str:
    parts = [f"# {reader.title}\n", reader.lead]
    for shelf in reader.shelves:
        lines = [f"- [{_read_title(name, pages)}]({place(name)})" for name in shelf.names]
        tree = _render_tree([place(name) for name in shelf.names], caption=shelf.title)
        parts.append(f"## {shelf.title}\n\n" + "\n".join(lines) + "\n" + tree)
    return "\n\n".join(parts) + "\n"


def _render_folder(name: str, pages: Mapping[str, str]) -> str:
    inside = list_folder(name)
    lines = [f"- [{_read_title(page, pages)}](/{place(page)})" for page in inside]
    return (
        f"# {_read_title(name, pages)}\n\n"
        + "\n".join(lines)
        + "\n"
        + _render_tree([f"/{place(page)}" for page in inside])
    )


def _render_tree(targets: list[str], caption: str = "") -> str:
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["\n```{toctree}", *options, "", *(target.removesuffix(".md") for target in targets), "```\n"])


def _read_title(name: str, pages: Mapping[str, str]) -> str:
    """Return a page's title; of a folder its name."""
    lines = pages[name].splitlines() if name in pages else [f"# {Path(name).name.capitalize()}"]
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def _show(name: str, pages: Mapping[str, str]) -> dict[str, str]:
    """Return the pages that show a file, or a folder with what is in it."""
    path, target = ROOT / name, place(name)
    if path.is_dir():
        return _list(name, pages)
    if not target.endswith(".md"):
        return {}
    text = path.read_text(encoding="utf-8")
    if name.endswith(".md"):
        return {target: f"{_ORPHAN}{move_links(text, name)}"}
    language = _LANGUAGES.get(path.suffix, "text")
    return {target: f"{_ORPHAN}# {name}\n\n``````{language}\n{text}``````\n"}


def _list(name: str, pages: Mapping[str, str]) -> dict[str, str]:
    """Return a folder's page, and those of its files that are no pages of their own."""
    files = sorted(str(each.relative_to(ROOT)) for each in (ROOT / name).rglob("*") if each.is_file())
    lines = [f"- [{each.removeprefix(name).strip('/')}](/{place(each)})" for each in files]
    shown = [_show(each, pages) for each in files if each not in pages]
    return {place(name): f"{_ORPHAN}# {name}\n\n" + "\n".join(lines) + "\n"} | dict(
        item for one in shown for item in one.items()
    )
