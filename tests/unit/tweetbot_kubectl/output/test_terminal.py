"""Tables at a terminal of any width."""

import io

from tweetbot_kubectl.output.blocks import Column, Table, Text
from tweetbot_kubectl.output.terminal import show_blocks

COLUMNS = (
    Column("name", wraps=True),
    Column("phase"),
    Column("kept", numeric=True, optional=True),
    Column("model", optional=True),
)
TABLE = Table(COLUMNS, (tuple(map(Text, ("harbour-gull", "Training", "1470", "227ba5f2c6c9109f"))),))


def show(width: int) -> list[str]:
    stream = io.StringIO()
    show_blocks((TABLE,), stream, width)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_a_wide_terminal_shows_every_column() -> None:
    assert show(80)[0].split() == ["NAME", "PHASE", "KEPT", "MODEL"]


def test_a_narrow_one_leaves_out_the_last_optional_columns_first() -> None:
    assert show(40)[0].split() == ["NAME", "PHASE", "KEPT"]
    assert show(28)[0].split() == ["NAME", "PHASE"]


def test_what_is_left_wraps_instead_of_being_cut_off() -> None:
    lines = show(18)
    assert max(map(len, lines)) <= 18
    assert "".join(line.split()[0] for line in lines[2:]) == "harbour-gull"
    assert "Training" in lines[2]
