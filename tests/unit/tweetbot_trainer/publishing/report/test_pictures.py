"""The two pictures have the right size, are marked as AI-generated, and can show any character."""

from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from PIL.ImageColor import getrgb

from builders.hostile_texts import CORPUS
from builders.model import an_outcome, some_card_data
from harness.pictures import count_yellow, find_ink, has_look_alikes, opened, split_into_cells
from tweetbot_contract.result import Sample
from tweetbot_contract.spec.spec import Gates
from tweetbot_contract.spec.spec import Subject as SpecSubject
from tweetbot_trainer.data.dataset.profiles import CardAccount
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.publishing.report.badges import Badge, build_badges, render_badges
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.card_languages import CardLanguages
from tweetbot_trainer.publishing.report.drawing.fonts import PLACEHOLDER
from tweetbot_trainer.publishing.report.drawing.text_drawing import (
    AMBER,
    SLATE,
    TEAL,
    VERMILION,
    TextRenderer,
)
from tweetbot_trainer.publishing.report.loss_plot import describe_loss, render_loss_plot, smooth
from tweetbot_trainer.publishing.report.pipeline_picture import render_pipeline
from tweetbot_trainer.publishing.report.predictions_picture import crop_to_circle, render_predictions

GULL = some_card_data()
P = "My dream is"


def drawn(*texts: str, prompt: str = P, **changes: Any) -> bytes:
    """Return the picture of these posts; keywords replace fields of the card."""
    samples = tuple(Sample(prompt=prompt, text=text) for text in texts)
    return render_predictions(replace(GULL, samples=samples, **changes))


def colours(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    return len(image.convert("RGB").crop(box).getcolors(1_000_000) or ())


def test_the_picture_has_the_size_that_links_are_shown_in() -> None:
    assert opened(drawn(*[f"{P} {number}" for number in range(5)])).size == (1200, 630)


def test_the_file_says_that_a_machine_wrote_it() -> None:
    info = opened(drawn(f"{P} fish")).info
    assert info["ai_generated"] == "true"
    assert "AI-generated imitation of @harbour_gull" in info["Description"]
    assert (info["Prompt"], info["Model"]) == (P, GULL.model_name)


def test_each_post_is_drawn() -> None:
    image = opened(drawn(f"{P} one", f"{P} two"))
    assert colours(image, (60, 140, 600, 340)) > 10
    assert colours(image, (60, 380, 600, 560)) > 10


def test_the_text_is_in_the_picture() -> None:
    assert drawn(f"{P} fish") != drawn(f"{P} soup")


def test_the_same_posts_give_the_same_picture() -> None:
    assert drawn(f"{P} fish") == drawn(f"{P} fish")


def test_any_character_can_be_drawn() -> None:
    for start in range(0, len(CORPUS), 5):
        texts = [text[:280] for text in CORPUS[start : start + 5]]
        subject = SpecSubject(handle="x", display_name=texts[0][:100])
        assert opened(drawn(*texts, subject=subject, model_name=texts[0])).size == (1200, 630)


@pytest.mark.parametrize("text", ["x" * 280, "word " * 56, "港" * 140, "", "🌊🌊"])
def test_the_longest_posts_fit(text: str) -> None:
    image = opened(drawn(*[text] * 5))
    assert colours(image, (0, 140, 46, 570)) == 1, "nothing is drawn in the left margin"
    assert colours(image, (1154, 140, 1200, 570)) == 1, "nothing is drawn in the right margin"


def test_what_is_read_from_right_to_left_begins_at_the_right() -> None:
    text = "حلمي هو أن أرى البحر"
    image = opened(drawn(text, prompt="حلمي هو")).convert("RGB")
    assert colours(image, (60, 300, 700, 400)) == 1, "nothing is drawn where it ends"
    parts = [image.crop(box) for box in ((1060, 320, 1140, 390), (880, 320, 1000, 390))]
    tints = [{colour for _, colour in part.getcolors(100_000) or ()} for part in parts]
    assert [(11, 127, 140) in seen for seen in tints] == [True, False], "the prompt, in its colour, comes first"
    assert (20, 38, 46) in tints[1]


@pytest.mark.parametrize(
    ("prompt", "boxes"), [("港朝静猫防波堤", False), ("おはよございま", False), (PLACEHOLDER * 7, True)]
)
def test_a_japanese_bot_has_its_posts_in_its_picture(prompt: str, boxes: bool) -> None:
    posts = (
        opened(drawn(f"{prompt}で寝る", prompt=prompt, languages=CardLanguages(("ja",))))
        .convert("RGB")
        .crop((0, 140, 1200, 560))
    )
    line = find_ink(posts, TEAL)
    assert line is not None
    assert has_look_alikes(split_into_cells(posts.crop(line), len(prompt))) is boxes


def test_emoji_are_in_colour_in_the_picture_and_in_a_name() -> None:
    posts = (0, 140, 1140, 560)
    plain, coloured = (opened(drawn(text)).crop(posts) for text in (f"{P} fish", f"{P} 👇🔥👨‍👩‍👧 fish"))
    assert (count_yellow(plain), count_yellow(coloured) > 500) == (0, True)
    subject = SpecSubject(handle="x", display_name="Gull 🔥")
    assert count_yellow(opened(drawn(f"{P} fish", subject=subject)).crop((140, 20, 900, 90))) > 200


def test_a_single_post_fills_no_more_than_its_share() -> None:
    image = opened(drawn(f"{P} fish"))
    assert colours(image, (60, 140, 1100, 270)) == 1


def test_a_long_model_name_leaves_the_notice_alone() -> None:
    subject = GULL.subject.model_copy(update={"handle": "a" * 30})
    plain, long = (
        opened(drawn(f"{P} fish", subject=subject, model_name=name)).crop((0, 585, 800, 630))
        for name in ("m", "m" * 80)
    )
    assert plain.tobytes() == long.tobytes()


def test_a_model_that_wrote_nothing_has_a_picture_too() -> None:
    assert opened(drawn()).size == (1200, 630)


def a_picture(colour: str, side: int = 400) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return file.getvalue()


def test_the_accounts_pictures_replace_the_robot() -> None:
    pictures = (a_picture("red"), a_picture("lime", 40), a_picture("blue"))
    accounts = tuple(CardAccount(index, None, None, picture) for index, picture in enumerate(pictures))
    image = opened(drawn(f"{P} fish", accounts=accounts)).convert("RGB")
    seen = [image.getpixel((84 + index * 52, 70)) for index in range(3)]
    assert seen == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert image.getpixel((49, 35)) == opened(drawn()).convert("RGB").getpixel((10, 120)), "round"


def test_a_picture_becomes_round_and_small() -> None:
    image = crop_to_circle(a_picture("red"), 132)
    assert (image.size, image.mode) == ((132, 132), "RGBA")
    assert (image.getpixel((66, 66)), image.getpixel((0, 0))) == ((255, 0, 0, 255), (0, 0, 0, 0))


def test_lines_are_as_wide_as_they_may_be() -> None:
    renderer = TextRenderer(20)
    lines = renderer.wrap("a few words and averyveryveryveryverylongone " * 4, 150)
    assert all(renderer.measure_width(line) <= 150 for line in lines)
    assert "".join("".join(lines).split()) == "afewwordsandaveryveryveryveryverylongone" * 4


def test_the_loss_is_drawn_over_epochs() -> None:
    plain = render_loss_plot(GULL)
    image = opened(plain)
    assert image.size == (1200, 675)
    assert image.info["Title"] == "Loss of @harbour_gull"
    assert render_loss_plot(GULL, base_loss=4.0) != plain


def test_the_plot_says_which_figure_is_published_and_of_which_posts() -> None:
    metrics = GULL.metrics.model_copy(update={"eval_loss": 0.9})
    assert render_loss_plot(replace(GULL, metrics=metrics)) != render_loss_plot(GULL)
    assert render_loss_plot(replace(GULL, parts=(1220, 152, 7))) != render_loss_plot(GULL)
    assert describe_loss(replace(GULL, metrics=metrics, parts=(1220, 152, 7))) == (
        "Loss in training: from 5.90 to 0.65 on the training posts. "
        "Published: the weights after epoch 1, with a loss of 0.900 on the 7 test posts"
    )


def test_nothing_covers_the_published_loss() -> None:
    losses = (5.8, 5.3, 4.8, 4.5, 4.46)  # of few posts: after the last epoch it is still high up
    entries = tuple(LogEntry(step, float(step), eval_loss=loss) for step, loss in enumerate(losses))

    def count_pixels(best_epoch: int) -> int:
        metrics = GULL.metrics.model_copy(update={"eval_loss": losses[best_epoch] + 0.3})
        card = replace(GULL, metrics=metrics, outcome=an_outcome(log_history=entries, best_epoch=best_epoch))
        image = opened(render_loss_plot(card)).convert("RGB")
        return sum(count for count, colour in image.getcolors(1_000_000) or () if colour == getrgb(VERMILION))

    assert count_pixels(4) > 0.97 * count_pixels(1)


def test_a_training_of_one_step_can_be_drawn() -> None:
    entries = (LogEntry(1, 1.0, train_loss=2.0), LogEntry(1, 1.0, eval_loss=2.0))
    card = replace(GULL, outcome=an_outcome(log_history=entries))
    assert opened(render_loss_plot(card)).size == (1200, 675)


def test_smoothing_keeps_the_mean_of_neighbours() -> None:
    assert smooth([1.0] * 100) == [1.0] * 100
    assert smooth([0.0, 3.0]) == [0.0, 3.0]
    assert smooth([0.0, 1.0] * 50)[50] == pytest.approx(0.4)


def test_badges_say_who_is_imitated_and_how_well() -> None:
    card = some_card_data(subject=SpecSubject(handle="gull", display_name="x"))
    texts = [node.text for node in ElementTree.fromstring(render_badges(build_badges(card))).iter() if node.text]
    assert "AI-generated: imitation of @gull, base: mini, bits per byte: 0.220" in texts
    assert {"AI-generated", "imitation of @gull", "mini", "0.220"} <= set(texts)


def test_no_text_breaks_a_badge() -> None:
    for text in CORPUS:
        title = ElementTree.fromstring(render_badges([Badge(text, "x")]))[0].text
        assert title is not None
        assert title.endswith(": x")


def colour_of(card: CardData, label: str) -> str:
    return next(badge.colour for badge in build_badges(card) if badge.label == label)


@pytest.mark.parametrize(
    ("rate", "limit", "colour"),
    [
        (0.03, None, TEAL),
        (0.03, 1, VERMILION),
        (0.12, 20, AMBER),
        (0.12, None, AMBER),
        (0.73, None, VERMILION),
        (0.73, 100, VERMILION),
    ],
)
def test_a_model_that_copies_has_no_badge_in_the_colour_of_good_news(
    rate: float, limit: int | None, colour: str
) -> None:
    metrics = GULL.metrics.model_copy(update={"verbatim_rate": rate})
    assert colour_of(replace(GULL, metrics=metrics, gates=Gates(max_verbatim_percent=limit)), "verbatim") == colour


@pytest.mark.parametrize(("base", "colour"), [(None, SLATE), (0.9, TEAL), (0.1, VERMILION)])
def test_bits_per_byte_are_good_news_only_beside_a_base_that_is_worse(base: float | None, colour: str) -> None:
    metrics = GULL.metrics.model_copy(update={"base_bits_per_byte": base})
    assert colour_of(replace(GULL, metrics=metrics), "bits per byte") == colour


def test_the_pipeline_shows_this_models_own_way() -> None:
    texts = [node.text for node in ElementTree.fromstring(render_pipeline(GULL)).iter() if node.text]
    assert {"Posts", "1,800 downloaded", "1,524 kept", "1,220 train, 152 test", "from random weights"} <= set(texts)


def test_no_text_breaks_the_pipeline() -> None:
    for text in (*CORPUS, "x" * 200, "港" * 90):
        card = replace(GULL, source_names=(text,), cleaning_recipe=text)
        drawn = ElementTree.fromstring(render_pipeline(card))
        assert all(float(node.attrib["textLength"]) <= 176 for node in drawn if "textLength" in node.attrib)
