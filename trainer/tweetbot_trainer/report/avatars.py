"""The accounts' pictures, round, as they stand in the card's header and in predictions.png."""

from io import BytesIO

from PIL import Image, ImageDraw

#: Pixels across in the card, for one account and for several; huggingtweets showed them so.
ALONE, AMONG_OTHERS = 132, 92
#: The circle is drawn so much larger and shrunk, for a smooth edge.
_FINE = 4


def round_picture(png: bytes, side: int) -> Image.Image:
    """Return a square picture as a circle of so many pixels across, clear outside of it."""
    with Image.open(BytesIO(png), formats=("PNG",)) as square:
        picture = square.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    circle = Image.new("L", (side * _FINE, side * _FINE), 0)
    ImageDraw.Draw(circle).ellipse((0, 0, side * _FINE - 1, side * _FINE - 1), fill=255)
    clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    clear.paste(picture, mask=circle.resize(picture.size, Image.Resampling.LANCZOS))
    return clear


def round_png(png: bytes, side: int) -> bytes:
    """Return the circle as a PNG without metadata."""
    file = BytesIO()
    round_picture(png, side).save(file, "PNG")
    return file.getvalue()
