"""predictions.png: a prompt and what the model made of it, marked as AI-generated in sight and in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from tweetbot_contract.result import Sample
from tweetbot_trainer.publishing.report.text_drawing import (
    GRID,
    INK,
    MUTED,
    PAPER,
    TEAL,
    VERMILION,
    WHITE,
    Piece,
    TextRenderer,
    is_right_to_left,
    make_drawable,
)

#: Pixels across in the card, for one account and for several; huggingtweets showed them so.
ALONE, AMONG_OTHERS = 132, 92
#: The circle is drawn so much larger and shrunk, for a smooth edge.
_FINE = 4


def crop_to_circle(png: bytes, side: int) -> Image.Image:
    """Return a square picture as a circle of so many pixels across, clear outside of it."""
    with Image.open(BytesIO(png), formats=("PNG",)) as square:
        picture = square.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    circle = Image.new("L", (side * _FINE, side * _FINE), 0)
    ImageDraw.Draw(circle).ellipse((0, 0, side * _FINE - 1, side * _FINE - 1), fill=255)
    clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    clear.paste(picture, mask=circle.resize(picture.size, Image.Resampling.LANCZOS))
    return clear


def crop_to_circle_png(png: bytes, side: int) -> bytes:
    """Return the circle as a PNG without metadata."""
    file = BytesIO()
    crop_to_circle(png, side).save(file, "PNG")
    return file.getvalue()


#: The size at which networks show a link's picture; drawn twice as large and shrunk, for smooth edges.
WIDTH, HEIGHT, FINE = 1200, 630, 2
MARGIN, HEAD, FOOT, GAP, PADDING = 48, 136, 52, 12, 20
#: Posts in the picture at the most, and lines of each.
POSTS, LINES = 5, 3
#: Pixels that a post takes at the most, when there are few.
TALLEST = 160
#: An account's picture, and how far the next one's left edge is from its own.
FACE, FACE_STEP = 72, 52
#: Sizes of text that are tried, the first that fits is taken.
SIZES = (27, 25, 23, 21, 19, 17, 15)


@dataclass(frozen=True, slots=True)
class PictureSubject:
    """Whom the posts imitate, which model wrote them, and the accounts' pictures, square PNGs."""

    name: str
    handle: str
    model: str
    pictures: tuple[bytes, ...] = ()

    @property
    def disclosure(self) -> str:
        """Return the sentence that must stand in the picture and in its metadata."""
        return f"AI-generated imitation of @{self.handle}. A machine wrote this, not the person."


def render_predictions(subject: PictureSubject, samples: Sequence[Sample]) -> bytes:
    """Return the picture of up to five samples of the first prompt."""
    prompt = samples[0].prompt if samples else ""
    texts = [sample.text for sample in samples if sample.prompt == prompt][:POSTS]
    page = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PAPER)
    canvas = ImageDraw.Draw(page)
    _draw_head(page, canvas, subject)
    _draw_posts(canvas, [make_drawable(text) for text in texts], make_drawable(prompt))
    _draw_foot(canvas, subject)
    file = BytesIO()
    page.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(file, "PNG", pnginfo=_build_metadata(subject, prompt))
    return file.getvalue()


def _build_metadata(subject: PictureSubject, prompt: str) -> PngInfo:
    info = PngInfo()
    info.add_text("ai_generated", "true")
    info.add_itxt("Description", subject.disclosure)
    info.add_itxt("Prompt", prompt)
    info.add_itxt("Model", subject.model)
    info.add_text("Software", "tweetbot-trainer")
    return info


def _draw_head(page: Image.Image, canvas: ImageDraw.ImageDraw, subject: PictureSubject) -> None:
    name, handle, label = (
        TextRenderer(38 * FINE, bold=True),
        TextRenderer(23 * FINE),
        TextRenderer(19 * FINE, bold=True),
    )
    _draw_box(canvas, (0, 0, WIDTH, 8), TEAL)
    left, pill = _draw_faces(page, canvas, subject.pictures), label.measure_width("AI-GENERATED") / FINE + 40
    room = (WIDTH - MARGIN - pill - 24 - left) * FINE
    title = name.truncate(make_drawable(subject.name), room)
    name.draw(canvas, (left * FINE, 74 * FINE), [Piece(title, INK)])
    handle.draw(
        canvas, (left * FINE, 106 * FINE), [Piece(handle.truncate(f"@{subject.handle}, as a bot", room), MUTED)]
    )
    right = WIDTH - MARGIN
    _draw_box(canvas, (right - pill, 48, right, 90), VERMILION, radius=21)
    label.draw(canvas, ((right - pill + 20) * FINE, 76 * FINE), [Piece("AI-GENERATED", WHITE)])


def _draw_faces(page: Image.Image, canvas: ImageDraw.ImageDraw, pictures: Sequence[bytes]) -> int:
    """Draw the accounts' pictures, each over the edge of the one before, or a robot's; return where the name begins."""
    if not pictures:
        _draw_robot(canvas, MARGIN, 34)
    for index, picture in enumerate(pictures):
        face = crop_to_circle(picture, FACE * FINE)
        page.paste(face, ((MARGIN + index * FACE_STEP) * FINE, 34 * FINE), face)
    return MARGIN + FACE + max(len(pictures) - 1, 0) * FACE_STEP + 20


def _draw_robot(canvas: ImageDraw.ImageDraw, left: float, top: float) -> None:
    """Draw a small robot's face: what the original's 🤖 said, without needing a font that has it."""
    _draw_box(canvas, (left, top, left + 72, top + 76), TEAL, radius=22)
    _draw_box(canvas, (left + 33, top - 12, left + 39, top + 4), TEAL)
    _draw_box(canvas, (left + 29, top - 18, left + 43, top - 4), VERMILION, radius=7)
    _draw_box(canvas, (left + 12, top + 20, left + 60, top + 46), WHITE, radius=13)
    for eye in (left + 21, left + 41):
        _draw_box(canvas, (eye, top + 28, eye + 10, top + 38), INK, radius=5)
    _draw_box(canvas, (left + 24, top + 56, left + 48, top + 61), WHITE, radius=2)


def _draw_posts(canvas: ImageDraw.ImageDraw, texts: Sequence[str], prompt: str) -> None:
    if not texts:
        return
    room = HEIGHT - HEAD - FOOT
    height = min(TALLEST, (room - GAP * (len(texts) - 1)) / len(texts))
    above = (room - height * len(texts) - GAP * (len(texts) - 1)) / 2
    renderer, blocks = _fit_texts(texts, height - 12)
    for index, lines in enumerate(blocks):
        top = HEAD + above + index * (height + GAP)
        _draw_box(canvas, (MARGIN, top, WIDTH - MARGIN, top + height), WHITE, radius=16, outline=GRID)
        _draw_lines(canvas, renderer, lines, (top + height / 2, len(prompt)))


def _fit_texts(texts: Sequence[str], height: float) -> tuple[TextRenderer, list[list[str]]]:
    """Return the largest lettering in which every text fits its box, and the texts' lines in it."""
    width = (WIDTH - 2 * MARGIN - 2 * PADDING) * FINE
    for size in SIZES:
        renderer = TextRenderer(size * FINE)
        blocks = [renderer.wrap(text, width) for text in texts]
        if max(map(len, blocks)) <= min(LINES, int(height * FINE / renderer.line_height)):
            return renderer, blocks
    most = max(1, int(height * FINE / renderer.line_height))
    cut = [lines if len(lines) <= most else [*lines[: most - 1], " ".join(lines[most - 1 :])] for lines in blocks]
    return renderer, [[renderer.truncate(line, width) for line in lines] for lines in cut]


def _draw_lines(
    canvas: ImageDraw.ImageDraw, renderer: TextRenderer, lines: Sequence[str], middle_and_prompt: tuple[float, int]
) -> None:
    """Draw lines centred on a height; as many signs as the prompt has are in its colour."""
    middle, prompt_left = middle_and_prompt
    baseline = middle * FINE - renderer.line_height * len(lines) / 2 + renderer.size * 1.02
    backwards = is_right_to_left(" ".join(lines))
    start = (WIDTH - MARGIN - PADDING if backwards else MARGIN + PADDING) * FINE
    for line in lines:
        given = max(0, prompt_left)
        pieces = [Piece(line[:given], TEAL), Piece(line[given:], INK)]
        renderer.draw(canvas, (start, baseline), pieces, backwards=backwards)
        prompt_left -= len(line) + 1
        baseline += renderer.line_height


def _draw_foot(canvas: ImageDraw.ImageDraw, subject: PictureSubject) -> None:
    small = TextRenderer(17 * FINE)
    y = (HEIGHT - 19) * FINE
    disclosure = small.truncate(make_drawable(subject.disclosure), (WIDTH - 2 * MARGIN) * FINE)
    room = (WIDTH - 2 * MARGIN - PADDING) * FINE - small.measure_width(disclosure)
    model = small.truncate(make_drawable(subject.model), room)
    small.draw(canvas, (MARGIN * FINE, y), [Piece(disclosure, MUTED)])
    small.draw(canvas, ((WIDTH - MARGIN) * FINE - small.measure_width(model), y), [Piece(model, MUTED)])


def _draw_box(
    canvas: ImageDraw.ImageDraw,
    corners: tuple[float, float, float, float],
    fill: str,
    *,
    radius: int = 0,
    outline: str | None = None,
) -> None:
    left, top, right, bottom = (value * FINE for value in corners)
    canvas.rounded_rectangle(
        (left, top, right, bottom), radius * FINE, fill=fill, outline=outline, width=FINE if outline else 0
    )
