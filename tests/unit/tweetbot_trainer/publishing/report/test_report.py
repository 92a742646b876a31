"""What a version has beside its weights: cards that can be read alone, and files that programs read."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from markdown_it import MarkdownIt
from PIL import Image

from builders.model import DEVICE, an_outcome, some_card_data, some_values
from tweetbot_trainer.data.dataset.profiles import CardAccount, make_square_png
from tweetbot_trainer.learning.training.precision import ProductSeconds
from tweetbot_trainer.learning.values import LoraConfig
from tweetbot_trainer.publishing.report.card_tables import render_values_table
from tweetbot_trainer.publishing.report.predictions_picture import encode_png
from tweetbot_trainer.publishing.report.records import build_evaluation, build_sample_records, format_json_lines
from tweetbot_trainer.publishing.report.report import (
    write_report,
)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of a version with all that cards can link to."""
    picture = make_square_png(encode_png(Image.new("RGB", (40, 40), "red")))
    accounts = (CardAccount(0, "gull", "Gull", picture), CardAccount(2, "heron", "Heron", picture))
    values, url = replace(some_values(), lora=LoraConfig(8, 16)), "https://wandb.example/team/project/runs/1"
    card = some_card_data(accounts=accounts, values=values, tracking_url=url)
    write_report(card, tmp_path, base_loss=4.0)
    return tmp_path


def list_addresses(page: str) -> list[str]:
    """Return where the links and pictures of a card lead to, the front matter's thumbnail among them."""
    _, front, body = page.split("---\n", 2)
    children = [child for token in MarkdownIt("commonmark").parse(body) for child in token.children or []]
    shown = [str(child.attrs[name]) for child in children for name in ("href", "src") if name in child.attrs]
    thumbnail = yaml.safe_load(front).get("thumbnail")
    return [*shown, *([thumbnail] if thumbnail else [])]


def test_no_card_links_to_what_does_not_travel_with_it(version: Path) -> None:
    cards = sorted(version.rglob("*.md"))
    assert [str(card.relative_to(version)) for card in cards] == ["adapter/README.md", "model/README.md"]
    for card in cards:
        addresses = list_addresses(card.read_text(encoding="utf-8"))
        relative = [unquote(url.path) for url in map(urlsplit, addresses) if not url.scheme and url.path]
        assert {"avatar-0.png", "avatar-2.png", "badges.svg", "predictions.png"} <= set(relative)
        inside = [(card.parent / path).resolve() for path in relative]
        assert [path for path in inside if path.parent != card.parent.resolve() or not path.is_file()] == []


def test_a_link_within_a_card_leads_to_a_heading_of_it(version: Path) -> None:
    page = (version / "model" / "README.md").read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").parse(page.split("---\n", 2)[2])
    titles = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    anchors = {
        "".join(sign for sign in title.lower().replace(" ", "-") if sign.isalnum() or sign == "-") for title in titles
    }
    within = [address[1:] for address in list_addresses(page) if address.startswith("#")]
    assert len(within) == 3
    assert set(within) <= anchors


def test_the_evaluation_holds_the_figures_and_where_they_come_from() -> None:
    document = json.loads(json.dumps(build_evaluation(some_card_data()), allow_nan=False))
    assert document["metrics"]["bitsPerByte"] == 0.2197
    assert document["baseBitsPerByte"] is None
    assert document["split"] == {"train": 1220, "validation": 152, "test": 152, "orderedBy": "created_at"}
    assert (document["dataset"], document["base"]["uri"]) == ("d" * 64, "scratch://mini")
    assert (document["training"]["seed"], document["outcome"]["precision"]) == (42, "FP32")


def test_the_report_tells_by_which_times_the_number_format_was_chosen() -> None:
    measured = replace(DEVICE, bf16=True, products=ProductSeconds(fp32=0.012, bf16=0.00617))
    card = some_card_data(outcome=an_outcome(device=measured))
    assert "BF16, as measured: a product of the model's shape took 12 ms in FP32, 6.17 ms in BF16" in (
        render_values_table(card).replace("\\", "")
    )
    outcome = build_evaluation(card)["outcome"]
    assert (outcome["precision"], outcome["productSeconds"]) == ("BF16", {"FP32": 0.012, "BF16": 0.00617})


def test_every_sample_says_that_a_machine_wrote_it() -> None:
    card = some_card_data()
    (record,) = build_sample_records(card)
    assert record["ai_generated"] is True
    assert record["prompt"] == "My dream is"
    assert record["disclosure"].startswith(f"AI-generated imitation of @{card.handle}.")


def test_metrics_are_one_object_per_line() -> None:
    lines = format_json_lines(entry.as_json() for entry in an_outcome().log_history).splitlines()
    assert [sorted(json.loads(line)) for line in lines[:2]] == [
        ["epoch", "eval_loss", "step"],
        ["epoch", "learning_rate", "step", "tokens_per_second", "train_loss"],
    ]


def test_a_figure_that_is_no_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        format_json_lines([{"loss": float("nan")}])
