"""Blocks as plain text, for pipes: nothing is cut off or coloured."""

from collections.abc import Iterator

from tweetbot_kubectl.output.blocks import Block, Heading, Table, Text, Tree, clean_text

_GAP = "   "


def format_blocks(blocks: tuple[Block, ...]) -> Iterator[str]:
    """Yield the lines of blocks."""
    for block in blocks:
        match block:
            case Text():
                yield clean_text(block.text)
            case Heading():
                yield from ("", block.text)
            case Table():
                yield from _format_table(block)
            case Tree():
                yield from _format_tree(block, "", "")


def _format_table(table: Table) -> Iterator[str]:
    cells = [[clean_text(cell.text) for cell in line] for line in table.lines]
    names = [column.name.upper() for column in table.columns]
    if any(names):
        cells.insert(0, names)
    widths = [max((len(line[index]) for line in cells), default=0) for index in range(len(names))]
    for line in cells:
        padded = (
            cell.rjust(width) if column.numeric else cell.ljust(width)
            for cell, width, column in zip(line, widths, table.columns, strict=True)
        )
        yield _GAP.join(padded).rstrip()


def _format_tree(tree: Tree, first: str, later: str) -> Iterator[str]:
    yield f"{first}{clean_text(tree.label.text)}"
    for number, branch in enumerate(tree.branches, 1):
        last = number == len(tree.branches)
        yield from _format_tree(branch, f"{later}{'└─ ' if last else '├─ '}", f"{later}{'   ' if last else '│  '}")
