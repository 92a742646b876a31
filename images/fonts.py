"""Makes the fonts that pictures are drawn with, from pinned packages of Debian 12 and npm: python images/fonts.py

It needs fonttools 4.68.0, brotli, apt-get and npm, and gives the same bytes each time. The result lies in the
repository, so that no build needs this.
Each font keeps only what its script needs: docs/decisions/0062-a-card-that-stands-alone.md.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset, unicodedata
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[1] / "trainer/tweetbot_trainer/publishing/report/drawing/font_files"
DEBIAN = {"fonts-noto-core": "20201225-1", "fonts-noto-cjk": "1:20220127+repack1-1"}
TWEMOJI = "twemoji-colr-font@15.0.3"
#: sha256 of the two large sources; those of the others would say no more than the version of their package.
CHECKED = {
    "NotoSansCJK-Regular.ttc": "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a",
    "twemoji.woff2": "598b6867d47954acab46edd6a9773d734b844d221d3a95834da7442d5df64f98",
}
#: Noto's name of a font, and the scripts that it is for (ISO 15924).
SCRIPTS = {
    "NotoSansArabic": ("Arab",),
    "NotoSansBengali": ("Beng",),
    "NotoSansDevanagari": ("Deva",),
    "NotoSansEthiopic": ("Ethi",),
    "NotoSansGujarati": ("Gujr",),
    "NotoSansGurmukhi": ("Guru",),
    "NotoSansHebrew": ("Hebr",),
    "NotoSansKannada": ("Knda",),
    "NotoSansKhmer": ("Khmr",),
    "NotoSansLao": ("Laoo",),
    "NotoSansMalayalam": ("Mlym",),
    "NotoSansMyanmar": ("Mymr",),
    "NotoSansOriya": ("Orya",),
    "NotoSansSinhala": ("Sinh",),
    "NotoSansTamil": ("Taml",),
    "NotoSansTelugu": ("Telu",),
    "NotoSansThaana": ("Thaa",),
    "NotoSansThai": ("Thai",),
    "NotoSerifTibetan": ("Tibt",),
}
#: Space, joiners and the dotted circle, which shaping needs.
SHAPING = {0x20, 0xA0, 0x200B, 0x200C, 0x200D, 0x25CC}
#: The character sets of Japan, China, Taiwan and Korea, by Python's names.
CJK_SETS = ("shift_jis", "gb2312", "big5", "euc_kr")


def main() -> None:
    """Write every font anew."""
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sources = fetch(Path(folder))
        for name, scripts in SCRIPTS.items():
            font = TTFont(sources[f"{name}-Regular.ttf"], recalcTimestamp=False)
            write_subset(font, TARGET / f"{name}.ttf", choose(font, scripts) | SHAPING)
        # The first font of the collection has the Japanese forms, and the others by language.
        cjk = TTFont(sources["NotoSansCJK-Regular.ttc"], fontNumber=0, recalcTimestamp=False)
        write_subset(cjk, TARGET / "NotoSansCJK.otf", list_cjk() | SHAPING, ("locl", "ccmp", "ljmo", "vjmo", "tjmo"))
        emoji = TTFont(sources["twemoji.woff2"], recalcTimestamp=False)
        widen_boxes(emoji)
        emoji.flavor = None
        emoji.save(TARGET / "Twemoji.ttf")
    for path in sorted(TARGET.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path.name}")


def fetch(folder: Path) -> dict[str, Path]:
    """Download the packages and return the files in them by name."""
    for package, version in DEBIAN.items():
        subprocess.run(("apt-get", "download", f"{package}={version}"), cwd=folder, check=True)
    for package in folder.glob("*.deb"):
        subprocess.run(("dpkg", "-x", package, folder), check=True)
    subprocess.run(("npm", "pack", "--silent", TWEMOJI), cwd=folder, check=True)
    subprocess.run(("tar", "-xzf", *folder.glob("*.tgz")), cwd=folder, check=True)
    found = {path.name: path for path in folder.rglob("*") if path.suffix in (".ttf", ".ttc", ".woff2")}
    for name, digest in CHECKED.items():
        if hashlib.sha256(found[name].read_bytes()).hexdigest() != digest:
            sys.exit(f"{name} is not the file that is pinned")
    return found


def choose(font: TTFont, scripts: Iterable[str]) -> set[int]:
    """Return the characters of a font that are of these scripts, or shared by them and others."""
    wanted = set(scripts)
    return {code for code in font.getBestCmap() if wanted & set(unicodedata.script_extension(chr(code)))}


def list_cjk() -> set[int]:
    """Return kana, every Hangul syllable, and what the four character sets have."""
    codes = {*range(0x3000, 0x3100), *range(0x31F0, 0x3200), *range(0xAC00, 0xD7A4), *range(0xFF00, 0xFFF0)}
    for code in range(0x3100, 0x10000):
        if any(can_encode(chr(code), name) for name in CJK_SETS):
            codes.add(code)
    return codes


def can_encode(character: str, name: str) -> bool:
    """Whether a character set has a character."""
    try:
        character.encode(name)
    except UnicodeEncodeError:
        return False
    return True


def write_subset(font: TTFont, path: Path, codes: set[int], features: Iterable[str] = ("*",)) -> None:
    """Write a font with these characters alone."""
    options = subset.Options(layout_features=list(features), notdef_outline=True, hinting=False, name_IDs=["*"])
    options.drop_tables += ["STAT", "vhea", "vmtx", "VORG", "BASE", "DSIG"]
    work = subset.Subsetter(options)
    work.populate(unicodes=codes)
    work.subset(font)
    font.save(path)


def widen_boxes(font: TTFont) -> None:
    """Give each coloured glyph an outline as large as its layers: FreeType makes its picture no larger than that."""
    glyphs = font.getGlyphSet()
    for name, layers in font["COLR"].ColorLayers.items():
        boxes = []
        for layer in layers:
            pen = BoundsPen(glyphs)
            glyphs[layer.name].draw(pen)
            boxes += [pen.bounds] if pen.bounds else []
        if boxes and name not in {layer.name for layer in layers}:
            font["glyf"][name] = draw_box(
                *(pick(values) for pick, values in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
            )


def draw_box(left: float, bottom: float, right: float, top: float) -> object:
    """Return a rectangle as a glyph."""
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    main()
