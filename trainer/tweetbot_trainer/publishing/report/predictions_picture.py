"""predictions.png: posts that the model wrote for a prompt, marked as AI-generated in the picture and in the file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from tweetbot_trainer.publishing.disclosure import build_disclosure
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.drawing.bidi import is_right_to_left
from tweetbot_trainer.publishing.report.drawing.fonts import make_drawable
from tweetbot_trainer.publishing.report.drawing.text_drawing import (
    GRID,
    INK,
    MUTED,
    PAPER,
    TEAL,
    VERMILION,
    WHITE,
    TextRenderer,
)

#: Width of an account's picture in the card, in pixels: if it is the only one, and if there are several (as in
#: huggingtweets).
AVATAR_SIDE, SMALL_AVATAR_SIDE = 132, 92
#: A circle is drawn this many times larger and then shrunk, for a smooth edge.
_CIRCLE_SCALE = 4

#: The size of a link's preview on social networks. The picture is drawn `FINE` times as large and then shrunk.
WIDTH, HEIGHT, FINE = 1200, 630, 2
MARGIN, HEAD, FOOT, GAP, PADDING = 48, 136, 52, 12, 20
#: The most posts in the picture, and the most lines of a post.
POSTS, LINES = 5, 3
#: Greatest height of a post.
TALLEST = 160
#: Width of an account's picture, and the distance from its left edge to the next one's.
FACE, FACE_STEP = 72, 52
#: Text sizes to try; the first that fits is used.
SIZES = (27, 25, 23, 21, 19, 17, 15)
#: Languages with forms of their own of Chinese characters.
HAN_LANGUAGES = ("ja", "zh", "ko")
#: Left, top, right and bottom.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Posts for a prompt, and whom they imitate; `han_language` is that of Chinese characters in them."""

    person: str
    handle: str
    disclosure: str
    model_name: str
    prompt: str
    texts: tuple[str, ...]
    pictures: tuple[bytes, ...] = ()
    han_language: str | None = None


def render_predictions(card: CardData) -> bytes:
    """Draw up to five samples of the first prompt."""
    return draw_predictions(
        Predictions(
            person=card.name,
            handle=card.handle,
            disclosure=build_disclosure(card.handle),
            model_name=card.model_name,
            prompt=card.samples[0].prompt if card.samples else "",
            texts=tuple(sample.text for sample in card.first_samples),
            pictures=tuple(card.pictures.values()),
            han_language=find_han_language(card),
        )
    )


def draw_predictions(shown: Predictions) -> bytes:
    """Draw the first five posts, marked as AI-generated."""
    page = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PAPER)
    canvas = ImageDraw.Draw(page)
    texts = [make_drawable(text) for text in shown.texts[:POSTS]]
    _draw_head(page, canvas, shown)
    _draw_posts(canvas, texts, make_drawable(shown.prompt), shown.han_language)
    _draw_foot(canvas, shown)
    return encode_png(page.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), _build_metadata(shown))


def encode_png(picture: Image.Image, metadata: PngInfo | None = None) -> bytes:
    """Return a picture as the content of a file."""
    file = BytesIO()
    picture.save(file, "PNG", pnginfo=metadata)
    return file.getvalue()


def crop_to_circle(png: bytes, side: int) -> Image.Image:
    """Crop a square picture to a circle of this width, transparent outside and without metadata."""
    with Image.open(BytesIO(png), formats=("PNG",)) as square:
        picture = square.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    fine_side = side * _CIRCLE_SCALE
    circle = Image.new("L", (fine_side, fine_side), 0)
    ImageDraw.Draw(circle).ellipse((0, 0, fine_side - 1, fine_side - 1), fill=255)
    result = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    result.paste(picture, mask=circle.resize(picture.size, Image.Resampling.LANCZOS))
    return result


def _build_metadata(shown: Predictions) -> PngInfo:
    info = PngInfo()
    info.add_text("ai_generated", "true")
    info.add_itxt("Description", shown.disclosure)
    info.add_itxt("Prompt", shown.prompt)
    info.add_itxt("Model", shown.model_name)
    info.add_text("Software", "tweetbot-trainer")
    return info


def _draw_head(page: Image.Image, canvas: ImageDraw.ImageDraw, shown: Predictions) -> None:
    name, handle = TextRenderer(38 * FINE, bold=True, language=shown.han_language), TextRenderer(23 * FINE)
    label = TextRenderer(19 * FINE, bold=True)
    _draw_box(canvas, (0, 0, WIDTH, 8), TEAL)
    left, pill = _draw_faces(page, canvas, shown.pictures), label.measure_width("AI-GENERATED") / FINE + 40
    room = (WIDTH - MARGIN - pill - 24 - left) * FINE
    title = name.truncate(make_drawable(shown.person), room)
    name.draw(canvas, (left * FINE, 74 * FINE), [(title, INK)])
    subtitle = handle.truncate(f"@{shown.handle}, as a bot" if shown.handle else "as a bot", room)
    handle.draw(canvas, (left * FINE, 106 * FINE), [(subtitle, MUTED)])
    right = WIDTH - MARGIN
    _draw_box(canvas, (right - pill, 48, right, 90), VERMILION, radius=21)
    label.draw(canvas, ((right - pill + 20) * FINE, 76 * FINE), [("AI-GENERATED", WHITE)])


def _draw_faces(page: Image.Image, canvas: ImageDraw.ImageDraw, pictures: Collection[bytes]) -> int:
    """Draw the accounts' pictures, overlapping, or a robot if there are none. Return the left edge of the name."""
    if not pictures:
        _draw_robot(canvas, MARGIN, 34)
    for index, picture in enumerate(pictures):
        face = crop_to_circle(picture, FACE * FINE)
        page.paste(face, ((MARGIN + index * FACE_STEP) * FINE, 34 * FINE), face)
    return MARGIN + FACE + max(len(pictures) - 1, 0) * FACE_STEP + 20


def _draw_robot(canvas: ImageDraw.ImageDraw, left: float, top: float) -> None:
    """Draw a robot's face, as large as the pictures that it stands for."""
    _draw_box(canvas, (left, top, left + 72, top + 76), TEAL, radius=22)
    _draw_box(canvas, (left + 33, top - 12, left + 39, top + 4), TEAL)
    _draw_box(canvas, (left + 29, top - 18, left + 43, top - 4), VERMILION, radius=7)
    _draw_box(canvas, (left + 12, top + 20, left + 60, top + 46), WHITE, radius=13)
    for eye in (left + 21, left + 41):
        _draw_box(canvas, (eye, top + 28, eye + 10, top + 38), INK, radius=5)
    _draw_box(canvas, (left + 24, top + 56, left + 48, top + 61), WHITE, radius=2)


def find_han_language(card: CardData) -> str | None:
    """Return the language whose forms of Chinese characters the account's readers expect: its first that has them."""
    return next((language for language in card.languages.codes if language in HAN_LANGUAGES), None)


def _draw_posts(canvas: ImageDraw.ImageDraw, texts: Sequence[str], prompt: str, language: str | None) -> None:
    if not texts:
        return
    room = HEIGHT - HEAD - FOOT
    height = min(TALLEST, (room - GAP * (len(texts) - 1)) / len(texts))
    above = (room - height * len(texts) - GAP * (len(texts) - 1)) / 2
    renderer, blocks = _fit_texts(texts, height - 12, language)
    for index, lines in enumerate(blocks):
        top = HEAD + above + index * (height + GAP)
        _draw_box(canvas, (MARGIN, top, WIDTH - MARGIN, top + height), WHITE, radius=16, outline=GRID)
        _draw_lines(canvas, renderer, lines, middle=top + height / 2, prompt_left=len(prompt))


def _fit_texts(texts: Sequence[str], height: float, language: str | None) -> tuple[TextRenderer, list[list[str]]]:
    """Return the largest font size at which every text fits its box, and the lines of each text."""
    width = (WIDTH - 2 * MARGIN - 2 * PADDING) * FINE
    for size in SIZES:
        renderer = TextRenderer(size * FINE, language=language)
        blocks = [renderer.wrap(text, width) for text in texts]
        if max(map(len, blocks)) <= min(LINES, int(height * FINE / renderer.line_height)):
            return renderer, blocks
    most = max(1, int(height * FINE / renderer.line_height))
    cut = [lines if len(lines) <= most else [*lines[: most - 1], " ".join(lines[most - 1 :])] for lines in blocks]
    return renderer, [[renderer.truncate(line, width) for line in lines] for lines in cut]


def _draw_lines(
    canvas: ImageDraw.ImageDraw, renderer: TextRenderer, lines: Sequence[str], *, middle: float, prompt_left: int
) -> None:
    """Draw lines around a vertical middle. The text's beginning, as long as the prompt, is in the prompt's colour."""
    baseline = middle * FINE - renderer.line_height * len(lines) / 2 + renderer.size * 1.02
    backwards = is_right_to_left(" ".join(lines))
    start = (WIDTH - MARGIN - PADDING if backwards else MARGIN + PADDING) * FINE
    for line in lines:
        split = max(0, prompt_left)
        pieces = [(line[:split], TEAL), (line[split:], INK)]
        renderer.draw(canvas, (start, baseline), pieces, backwards=backwards)
        prompt_left -= len(line) + 1
        baseline += renderer.line_height


def _draw_foot(canvas: ImageDraw.ImageDraw, shown: Predictions) -> None:
    small = TextRenderer(17 * FINE)
    y = (HEIGHT - 19) * FINE
    disclosure = small.truncate(make_drawable(shown.disclosure), (WIDTH - 2 * MARGIN) * FINE)
    room = (WIDTH - 2 * MARGIN - PADDING) * FINE - small.measure_width(disclosure)
    model = small.truncate(make_drawable(shown.model_name), room)
    small.draw(canvas, (MARGIN * FINE, y), [(disclosure, MUTED)])
    small.draw(canvas, ((WIDTH - MARGIN) * FINE - small.measure_width(model), y), [(model, MUTED)])


def _draw_box(
    canvas: ImageDraw.ImageDraw, corners: Box, fill: str, *, radius: int = 0, outline: str | None = None
) -> None:
    left, top, right, bottom = (value * FINE for value in corners)
    width = FINE if outline else 0
    canvas.rounded_rectangle((left, top, right, bottom), radius * FINE, fill=fill, outline=outline, width=width)
