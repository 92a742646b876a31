"""What the demo prints: lines, and below them one progress bar that is redrawn."""

import sys
import threading
from collections.abc import Iterable
from typing import TextIO

BAR_WIDTH = 32


class Screen:
    """A terminal, or a file, in which the bar becomes a line every ten percent."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._bar = ""
        self._tenth = -1
        self._lock = threading.Lock()

    def print_line(self, line: str) -> None:
        """Print a line above the bar."""
        with self._lock:
            self._clear()
            print(line, file=self._stream)
            self._draw()

    def print_heading(self, text: str) -> None:
        """Print a heading."""
        self.print_line(f"\n── {text} " + "─" * max(0, 76 - len(text)))

    def draw_progress(self, stage: str, percent: float, note: str) -> None:
        """Draw the bar of a stage at `percent`, 0 to 100."""
        filled = round(BAR_WIDTH * percent / 100)
        bar = f"{stage:<9}{'█' * filled}{'░' * (BAR_WIDTH - filled)} {percent:3.0f} %  {note}"
        if self._terminal:
            with self._lock:
                self._clear()
                self._bar = bar
                self._draw()
        elif (tenth := int(percent // 10)) != self._tenth:
            self._tenth = tenth
            self.print_line(bar)

    def finish_bar(self) -> None:
        """Leave the bar where it is and continue below it."""
        with self._lock:
            if self._bar:
                print(file=self._stream)
            self._bar, self._tenth = "", -1

    def print_table(self, rows: Iterable[tuple[str, object]]) -> None:
        """Print names and values in two columns."""
        known = [(name, str(value)) for name, value in rows if value is not None]
        width = max(len(name) for name, _ in known)
        for name, value in known:
            self.print_line(f"  {name:<{width}}  {value}")

    def _clear(self) -> None:
        if self._bar:
            print("\r\x1b[K", end="", file=self._stream)

    def _draw(self) -> None:
        if self._bar:
            print(self._bar, end="", file=self._stream)
        self._stream.flush()
