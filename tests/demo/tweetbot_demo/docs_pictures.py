"""Makes the pictures of the README after `make demo`: make pictures

Those of the model are the demo's own; the terminal shows the transcript in the README.
"""

import re
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "docs" / "pictures"
#: The transcript's lines that the terminal shows: from the command to the end of the training.
FIRST, LAST = "$ make demo", "quickstart   Succeeded"
#: In pixels: a line, a character, the margin, the window's bar.
LINE, CHARACTER, MARGIN, BAR = 20, 8.4, 20, 36
PAPER, FRAME, INK, COMMAND, PROGRESS = "#14262e", "#22383f", "#e3eaed", "#7fd4dd", "#f2a541"


def main() -> None:
    """Write the pictures."""
    PICTURES.mkdir(exist_ok=True)
    for name in ("predictions.png", "loss.png", "pipeline.svg"):
        shutil.copyfile(ROOT / "build" / "demo" / "model" / name, PICTURES / name)
    (PICTURES / "terminal.svg").write_text(render_terminal(read_transcript()), encoding="utf-8")


def read_transcript() -> list[str]:
    """Return the first lines of the README's transcript."""
    (block,) = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines: list[str] = block.splitlines()
    start = next(index for index, line in enumerate(lines) if line == FIRST)
    end = next(index for index, line in enumerate(lines) if line.strip().startswith(LAST))
    return lines[start : end + 1]


def render_terminal(lines: list[str]) -> str:
    """Return a window of a terminal with these lines as SVG; every line keeps its columns, with any font."""
    width = round(2 * MARGIN + max(map(len, lines)) * CHARACTER)
    height = BAR + len(lines) * LINE + MARGIN
    dots = "".join(
        f'<circle cx="{22 + 20 * index}" cy="18" r="6" fill="{fill}"/>'
        for index, fill in enumerate(("#d1491b", "#f2a541", "#0b7f8c"))
    )
    texts = "\n".join(_render_line(line, BAR + LINE * index + 14) for index, line in enumerate(lines) if line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        "<title>make demo: a manifest becomes a model</title>\n"
        f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>\n'
        f'<path d="M0 {BAR - 8}V10a10 10 0 0 1 10-10H{width - 10}a10 10 0 0 1 10 10V{BAR - 8}z" fill="{FRAME}"/>\n'
        f'{dots}\n<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14">\n'
        f"{texts}\n</g>\n</svg>\n"
    )


def _render_line(line: str, baseline: int) -> str:
    text = escape(line).replace(" ", "\N{NO-BREAK SPACE}")  # browsers collapse others, some even under xml:space
    fill = COMMAND if line.startswith("$") else PROGRESS if line.startswith("Train ") else INK
    return (
        f'<text x="{MARGIN}" y="{baseline + 8}" textLength="{len(line) * CHARACTER:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{fill}">{text}</text>'
    )


if __name__ == "__main__":
    main()
