"""Where a command prints, and in which form."""

import sys
from dataclasses import dataclass, field
from typing import Literal, TextIO

from tweetbot_kubectl.output.blocks import Block
from tweetbot_kubectl.output.document import encode_document
from tweetbot_kubectl.output.plain import format_blocks

Form = Literal["text", "wide", "json"]


@dataclass(frozen=True, slots=True)
class Output:
    """Prints results to `stream`, and what accompanies them to `notes`."""

    form: Form = "text"
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    notes: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def terminal(self) -> bool:
        """Whether a person reads it as it comes."""
        return self.stream.isatty()

    def show(self, result: object, blocks: tuple[Block, ...]) -> None:
        """Print a result: the document of it, or the blocks that show it."""
        if self.form == "json":
            self.print_line(encode_document(result))
        else:
            self.show_blocks(blocks)

    def show_blocks(self, blocks: tuple[Block, ...]) -> None:
        """Print blocks, in colour at a terminal."""
        if self.terminal:
            from tweetbot_kubectl.output.terminal import show_blocks  # rich takes a tenth of a second

            show_blocks(blocks, self.stream)
            return
        for line in format_blocks(blocks):
            self.print_line(line)

    def print_line(self, line: str) -> None:
        """Print a line as it is, at once: a program may wait for it while the command goes on."""
        print(line, file=self.stream, flush=True)

    def note(self, text: str) -> None:
        """Print a line beside the result, where no pipe reads it."""
        print(text, file=self.notes, flush=True)
