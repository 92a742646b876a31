"""Judges a picture by what is to be seen in it, as a person would: no pixel has to be where it was."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import combinations

from PIL import Image, ImageChops, ImageStat

#: A region of a picture: left, top, right, bottom.
Box = tuple[int, int, int, int]


def opened(png: bytes) -> Image.Image:
    """Return a picture of which nothing is left in a file."""
    image = Image.open(BytesIO(png))
    image.load()
    return image


def count_yellow(image: Image.Image) -> int:
    """Count the pixels in the yellow and orange of faces, hands and flames, which our own colours lack."""
    hue, saturation, value = image.convert("HSV").split()
    masks = (hue.point(lambda one: 255 * (15 <= one <= 45)), saturation.point(lambda one: 255 * (one > 90)))
    yellow = ImageChops.multiply(ImageChops.multiply(*masks), value.point(lambda one: 255 * (one > 150)))
    return sum(yellow.histogram()[1:])


def find_ink(image: Image.Image, colour: str) -> Box | None:
    """Return the smallest box around all pixels of about this colour, such as "#0b7f8c"."""
    difference = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, colour))
    return max_of_channels(difference).point(lambda one: 255 * (one < 40)).getbbox()


def max_of_channels(image: Image.Image) -> Image.Image:
    """Return the greatest of red, green and blue for each pixel."""
    red, green, blue = image.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def split_into_cells(image: Image.Image, count: int) -> Iterator[Image.Image]:
    """Yield the cells of a line whose characters are all equally wide, as in Japanese, each 12 by 12 in grey."""
    width = image.width / count
    for index in range(count):
        cell = image.crop((round(index * width), 0, round((index + 1) * width), image.height))
        yield cell.convert("L").resize((12, 12), Image.Resampling.BOX)


def has_look_alikes(cells: Iterable[Image.Image]) -> bool:
    """Whether two of the cells show about the same, as with a box for each character that is missing."""
    return any(ImageStat.Stat(ImageChops.difference(*pair)).mean[0] < 20 for pair in combinations(cells, 2))
