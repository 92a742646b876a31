"""Blocks at a terminal, by rich. Texts are never read as markup: others wrote them."""

from typing import TextIO

from rich import box
from rich.console import Console, JustifyMethod, OverflowMethod, RenderableType
from rich.table import Table as RichTable
from rich.text import Text as RichText
from rich.tree import Tree as RichTree

from tweetbot_kubectl.output.blocks import Block, Heading, Table, Text, Tone, Tree, clean_text

_STYLES: dict[Tone, str] = {
    "": "",
    "good": "green",
    "bad": "bold red",
    "busy": "cyan",
    "faint": "dim",
    "strong": "bold",
}
#: Cells of a bar.
_BAR = 10
#: Between two columns.
_GAP = 3


def show_blocks(blocks: tuple[Block, ...], stream: TextIO, width: int | None = None) -> None:
    """Show blocks as wide as the terminal is, or this many characters."""
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    for block in blocks:
        console.print(_render(block, console.width))


def _render(block: Block, width: int) -> RenderableType:
    match block:
        case Text():
            return _render_text(block)
        case Heading():
            return RichText(f"\n{block.text}", "bold")
        case Table():
            return _render_table(block, width)
        case Tree():
            return _render_tree(block)


def _render_text(text: Text) -> RichText:
    style = _STYLES[text.tone]
    rendered = RichText(clean_text(text.text), style)
    if text.percent is None:
        return rendered
    done = _BAR * text.percent // 100
    return RichText.assemble(("━" * done, style or "cyan"), ("─" * (_BAR - done), "bright_black"), " ", rendered)


def _render_table(table: Table, width: int) -> RichTable:
    named = any(column.name for column in table.columns)
    rendered = RichTable(box=box.SIMPLE_HEAD if named else None, show_header=named, pad_edge=False, show_edge=False)
    chosen = _choose_columns(table, width)
    for column in (table.columns[index] for index in chosen):
        justify: JustifyMethod = "right" if column.numeric else "left"
        overflow: OverflowMethod = "fold" if column.wraps else "ellipsis"
        rendered.add_column(column.name.upper(), justify=justify, no_wrap=not column.wraps, overflow=overflow)
    for line in table.lines:
        rendered.add_row(*(_render_text(line[index]) for index in chosen))
    return rendered


def _choose_columns(table: Table, width: int) -> list[int]:
    """Return which columns are shown: without optional ones, the last first, until the rest fits the width."""
    needed = [
        max(len(column.name), *(_render_text(line[index]).cell_len for line in table.lines), 0)
        for index, column in enumerate(table.columns)
    ]
    chosen = list(range(len(table.columns)))
    for index in reversed(range(len(table.columns))):
        if table.columns[index].optional and sum(needed[each] + _GAP for each in chosen) > width + _GAP:
            chosen.remove(index)
    return chosen


def _render_tree(tree: Tree) -> RichTree:
    rendered = RichTree(_render_text(tree.label), guide_style="bright_black")
    _add_branches(rendered, tree)
    return rendered


def _add_branches(node: RichTree, tree: Tree) -> None:
    for branch in tree.branches:
        _add_branches(node.add(_render_text(branch.label)), branch)
