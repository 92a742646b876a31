"""Everybody's script is drawn, from fonts of our own, and emoji are pictures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from harness.pictures import count_yellow, has_look_alikes, split_into_cells
from tweetbot_trainer.publishing.report.drawing import fonts
from tweetbot_trainer.publishing.report.drawing.bidi import is_right_to_left, resolve_directions, sort_parts
from tweetbot_trainer.publishing.report.drawing.fonts import (
    FOLDER,
    PLACEHOLDER,
    find_missing,
    make_drawable,
    split_clusters,
)
from tweetbot_trainer.publishing.report.drawing.text_drawing import INK, TextRenderer

SIZE = 40
RENDERER = TextRenderer(SIZE)
GREETINGS = {
    "Arabic": "صباح الخير يا بحر",
    "Urdu": "صبح بخیر، سمندر کے ساتھ",
    "Armenian": "բարի լույս",
    "Bengali": "সুপ্রভাত, সাগর",
    "Chinese": "早安，大海。说话說話",
    "Devanagari": "सुप्रभात, समुद्र किनारे",
    "Ethiopic": "እንደምን አደርክ",
    "Georgian": "დილა მშვიდობისა",
    "Greek": "Καλημέρα, θάλασσα",
    "Gujarati": "સુપ્રભાત, દરિયો",
    "Gurmukhi": "ਸ਼ੁਭ ਸਵੇਰ",
    "Hebrew": "בוקר טוב, ים",
    "Japanese": "おはよう、港の朝は静かだ。",
    "Kannada": "ಶುಭೋದಯ, ಸಮುದ್ರ",
    "Khmer": "អរុណសួស្តី",
    "Korean": "좋은 아침, 바다야 뷁",
    "Lao": "ສະບາຍດີຕອນເຊົ້າ",
    "Malayalam": "സുപ്രഭാതം, കടൽ",
    "Myanmar": "မင်္ဂလာနံနက်ခင်းပါ",
    "Oriya": "ସୁପ୍ରଭାତ",
    "Persian": "صبح بخیر، می‌خواهم",
    "Russian": "Доброе утро, море",
    "Sinhala": "සුභ උදෑසනක්",
    "Tamil": "காலை வணக்கம், கடல்",
    "Telugu": "శుభోదయం, సముద్రం",
    "Thaana": "ބާއްޖަވެރި ހެނދުނެއް",
    "Thai": "อรุณสวัสดิ์ ทะเล",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས།",
    "Vietnamese": "Chào buổi sáng, biển",
}
FAMILY = "👨‍👩‍👧"


def drawn(text: str, renderer: TextRenderer = RENDERER, width: int = 1200) -> Image.Image:
    page = Image.new("RGB", (width, 2 * SIZE), "white")
    renderer.draw(ImageDraw.Draw(page), (10, 55), [(text, INK)])
    return page


@pytest.mark.parametrize("language", GREETINGS)
def test_every_script_of_the_internet_has_its_letters(language: str) -> None:
    text = GREETINGS[language]
    assert find_missing(text) == []
    assert make_drawable(text) == text


@pytest.mark.parametrize("language", GREETINGS)
def test_no_letter_is_drawn_as_a_box(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The font's own shaping finds a glyph for each: with a box for one of them the line would be as with all boxes."""
    boxes: list[str] = []
    load = ImageFont.FreeTypeFont.getmask2

    def watch(font: ImageFont.FreeTypeFont, text: str, *args: object, **more: object) -> object:
        mask, place = load(font, text, *args, **more)  # type: ignore[arg-type]
        box, _ = load(font, "\U000f1234", *args, **more)  # type: ignore[arg-type]
        boxes.extend([text] if mask.size == box.size and bytes(mask) == bytes(box) else [])
        return mask, place

    monkeypatch.setattr(ImageFont.FreeTypeFont, "getmask2", watch)
    drawn(GREETINGS[language])
    assert boxes == []


@pytest.mark.parametrize("text", ["👇", "🔥", FAMILY, "👍🏽", "🥹", "☀", "❤️", "❤", "1️⃣", "🇩🇪", "🏳️‍🌈"])
def test_an_emoji_is_a_picture_and_one_however_many_signs_it_has(text: str) -> None:
    assert len(split_clusters(text)) == 1
    assert make_drawable(text) == text
    assert RENDERER.measure_width(text) == RENDERER.measure_width("🔥")
    assert len(drawn(text).getcolors(10_000) or ()) > len(drawn(PLACEHOLDER).getcolors(10_000) or ())
    saturation = drawn(text).convert("HSV").getchannel("S")
    assert sum(saturation.histogram()[100:]) > 100


def test_hands_flames_and_families_are_in_their_own_colours() -> None:
    assert count_yellow(drawn(f"👇🔥{FAMILY}")) > 1000
    assert count_yellow(drawn("ABC")) == 0


def test_an_emoji_is_drawn_whole() -> None:
    box = drawn(FAMILY).convert("L").point(lambda one: 255 * (one < 250)).getbbox()
    assert box is not None
    assert 0.8 * SIZE < box[3] - box[1] < 1.2 * SIZE
    assert box[3] > 55 + SIZE / 20, "it reaches below the line of the letters"


@pytest.mark.parametrize("text", ["©", "®", "™", "#", "7", "☀\ufe0e"])
def test_signs_that_are_text_stay_text(text: str) -> None:
    saturation = drawn(text).convert("HSV").getchannel("S")
    assert max(level for level, count in enumerate(saturation.histogram()) if count) < 150


def test_each_kanji_looks_different() -> None:
    text = "港朝静猫防波堤"
    line = drawn(text).crop((10, 15, 10 + SIZE * len(text), 70))
    assert not has_look_alikes(split_into_cells(line, len(text)))


def test_a_chinese_character_has_the_forms_of_its_readers() -> None:
    japanese, chinese = (drawn("直骨今", TextRenderer(SIZE, language=language)) for language in ("ja", "zh"))
    assert japanese.tobytes() != chinese.tobytes()


def test_arabic_letters_are_joined_and_indic_vowels_reordered() -> None:
    assert RENDERER.measure_width("بحر") < sum(map(RENDERER.measure_width, "بحر"))
    assert drawn("कि").tobytes() != drawn("क").tobytes()
    assert RENDERER.measure_width("क्ष") < RENDERER.measure_width("क") + RENDERER.measure_width("ष")


@pytest.mark.parametrize(
    ("parts", "backwards", "shown"),
    [
        (["a", " ", "א", " ", "ב"], False, ["a", " ", "ב", " ", "א"]),
        (["a", " ", "א", "🔥", "ב", " ", "b"], False, ["a", " ", "ב", "🔥", "א", " ", "b"]),
        (["א", " ", "a", "🔥", "b", " ", "ב"], True, ["ב", " ", "a", "🔥", "b", " ", "א"]),
        (["א", " ", "🔥"], True, ["🔥", " ", "א"]),
        ([], False, []),
    ],
)
def test_mixed_directions_stand_in_reading_order(parts: list[str], backwards: bool, shown: list[str]) -> None:
    assert sort_parts(parts, resolve_directions(parts, backwards=backwards), backwards=backwards) == shown


@pytest.mark.parametrize(("text", "expected"), [("🔥 שלום a", True), ("a שלום", False), ("123 🔥", False)])
def test_the_first_letter_gives_a_text_its_direction(text: str, expected: bool) -> None:
    assert is_right_to_left(text) is expected


def test_no_line_begins_with_what_ends_a_sentence() -> None:
    lines = RENDERER.wrap("港の朝は静か、猫が寝ている。" * 6, 200)
    assert all(RENDERER.measure_width(line) <= 200 for line in lines)
    assert [line for line in lines if line[0] in "、。"] == []


@pytest.mark.parametrize("cut", [lambda text: RENDERER.truncate(text, 170), lambda text: RENDERER.wrap(text, 130)[0]])
def test_nothing_is_cut_inside_a_character(cut: Callable[[str], str]) -> None:
    shown = cut(FAMILY * 9).rstrip("…")
    assert shown == FAMILY * (len(shown) // len(FAMILY))


def test_what_no_font_has_is_dropped_or_replaced() -> None:
    assert make_drawable("soup \U0001fae9 again") == "soup again"  # an emoji of Unicode 16
    assert make_drawable("\U00012000") == PLACEHOLDER
    assert make_drawable("Grüße,\n Ærø 😀 …") == "Grüße, Ærø 😀 …"
    assert make_drawable("\u202eevil\u200b \u0301x") == "evil ́x"
    assert make_drawable("z\u0301\U000101fd") == "z", "a mark that no font has leaves the letter"
    assert find_missing("soup \U0001fae9 \U00012000") == ["\U0001fae9", "\U00012000"]


def test_without_our_fonts_text_is_drawn_as_far_as_dejavu_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FOLDER", "EMOJI", "CJK"):
        monkeypatch.setattr(fonts, name, tmp_path / name)
    fonts.find_font.cache_clear()
    fonts._list_script_fonts.cache_clear()
    assert make_drawable("soup 🌊 港") == f"soup {PLACEHOLDER}"
    assert drawn("soup 🌊 港").getbbox() is not None
    monkeypatch.undo()
    fonts.find_font.cache_clear()
    fonts._list_script_fonts.cache_clear()


def test_the_fonts_are_small_and_come_with_their_licence() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sum(files.values()) <= 25 * 1000**2
    licence = (FOLDER / "LICENSE").read_text(encoding="utf-8")
    for words in ("SIL OPEN FONT LICENSE Version 1.1", "Creative Commons\n", "Twitter, Inc", "Adobe", "Google LLC"):
        assert words in licence
    named = [name for name in files if name != "LICENSE" and not name.startswith("NotoSans")]
    assert all(name in licence for name in named)
