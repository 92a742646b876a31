"""The model card has every part of huggingtweets' card, and foreign text does not change its structure."""

import shlex
from dataclasses import replace
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from builders.hostile_texts import CORPUS
from builders.model import some_card_data, some_values
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import Metrics, Sample
from tweetbot_contract.spec.output import S3Output
from tweetbot_contract.spec.sources import (
    ArchiveSource,
    BlueskySource,
    InstagramSource,
    MastodonSource,
    PostsSource,
    RedditSource,
    Source,
    ThreadsSource,
    XSource,
)
from tweetbot_contract.spec.spec import Subject, TweetBotSpec
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.cli.parser import parse_args
from tweetbot_trainer.data.dataset.profiles import CardAccount
from tweetbot_trainer.data.dataset.statements import Contradictions
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.style.style import Style
from tweetbot_trainer.learning.values import LoraConfig, resolve_hyperparameters
from tweetbot_trainer.publishing.report.card import render_adapter_card, render_card
from tweetbot_trainer.publishing.report.card_data import (
    CardData,
    get_source_names,
    list_account_pages,
)
from tweetbot_trainer.publishing.report.card_languages import CardLanguages
from tweetbot_trainer.publishing.report.markdown import escape_inline

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
#: What everybody sees, and what is folded away.
SECTIONS = ["What it writes", "Try it", "Make your own bot", "Limitations and bias"]
FOLDED = ["How does it work?", "Training data", "Training procedure", "Evaluation"]
HUB = BaseIdentity("hf://gpt2", "hub", "607a30d783dfa663caf39e06633721c8d4cfcd7e")


def split_card(card: str) -> tuple[dict[str, Any], str]:
    front, body = card.removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(front), body


def headings(body: str) -> list[str]:
    tokens = PARSER.parse(body)
    return [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]


def cells(card: CardData) -> list[str]:
    """Return the cells of all tables of a card."""
    tokens = PARSER.parse(split_card(render_card(card))[1])
    return [tokens[index + 1].content for index, token in enumerate(tokens) if token.type in ("td_open", "th_open")]


def links(body: str) -> set[tuple[str, str]]:
    """Return label and address of each link of a card."""
    found = set[tuple[str, str]]()
    label, address = "", ""
    for child in (child for token in PARSER.parse(body) for child in token.children or []):
        if child.type == "link_open":
            label, address = "", str(child.attrs["href"])
        elif child.type == "link_close":
            found.add((label, address))
        label += child.content
    return found


def test_every_part_of_huggingtweets_card_is_there() -> None:
    url = "https://wandb.example/team/project/runs/1"
    card = some_card_data(base=HUB, tracking_url=url, report_url="https://wandb.example/team/project/reports/all")
    _, body = split_card(render_card(card))
    assert set(FOLDED) | {"Limitations and bias", "About", "Try it"} < set(headings(body))
    assert "made with TweetBot operator 0.1.0" in body
    assert 'pipeline("text-generation", model="model")' in body
    assert "num_return_sequences=5" in body
    assert "](pipeline.svg)" in body
    assert {
        ("Explore the data", f"{url}/artifacts"),
        ("The run is on Weights & Biases", url),
        ("The report on all versions", "https://wandb.example/team/project/reports/all"),
        ("gpt2", "https://huggingface.co/gpt2"),
        ("huggingtweets", "https://github.com/borisdayma/huggingtweets"),
    } <= links(body)


def test_people_come_first_and_figures_are_folded_away() -> None:
    body = split_card(render_card(some_card_data()))[1]
    folded = "How it was made, and how well it does"
    assert headings(body) == ["🤖 Harbour Gull: an AI bot", *SECTIONS, folded, *FOLDED, "License", "About"]
    before, inside, after = (
        body[: body.index("<details>")],
        body[body.index("<details>") :],
        body.split("</details>")[1],
    )
    assert "My dream is when the tide sang until morning" in before
    assert "bits per byte" not in before.lower().replace("bits per byte: 0.220", "")
    assert "| Bits per byte | 0.2197" in inside
    assert "|" not in after


def test_five_posts_stand_at_the_top_and_the_others_among_the_figures() -> None:
    samples = tuple(Sample(prompt=prompt, text=f"{prompt} {n}") for prompt in ("a gull", "my hat") for n in range(6))
    body = split_card(render_card(some_card_data(samples=samples)))[1]
    top, rest = body.split("<details>")
    assert [line for line in top.splitlines() if line.startswith("- a gull")] == [f"- a gull {n}" for n in range(5)]
    assert "my hat" not in top
    assert [f"- {sample.text}" in rest for sample in samples[5:]] == [True] * 7


def test_what_the_picture_lacks_is_said_beside_it() -> None:
    samples = (Sample(prompt="x", text="x \U00012000 🔥 \U00012000"),)
    assert "The picture lacks \U00012000: no font here has it." in render_card(some_card_data(samples=samples))
    assert "The picture lacks" not in render_card(some_card_data())


def test_the_manifest_for_a_bot_of_ones_own_is_one() -> None:
    (manifest,) = [token.content for token in PARSER.parse(render_card(some_card_data())) if token.info == "yaml"]
    spec = TweetBotSpec.model_validate(yaml.safe_load(manifest)["spec"])
    assert spec.output.s3.uri == "s3://my-bucket/models"


def test_the_notebook_is_linked_where_the_repository_has_an_address() -> None:
    here, nowhere = some_card_data(repository="https://git.example/tweetbot"), some_card_data(repository=None)
    assert ("the notebook", "https://git.example/tweetbot/blob/main/notebooks/make-your-bot.ipynb") in links(
        split_card(render_card(here))[1]
    )
    assert "the notebook `notebooks/make-your-bot.ipynb` in the program's repository makes one" in render_card(nowhere)


def commands(body: str) -> list[list[str]]:
    return [shlex.split(token.content) for token in PARSER.parse(body) if token.info == "sh"]


def test_the_commands_name_the_server_and_the_folder_of_the_model() -> None:
    output = S3Output(uri="s3://tweetbot/models", endpoint="http://minio.example:9000", region="eu-x")
    plain, elsewhere = some_card_data(), some_card_data(output=output)
    copy = ["aws", "s3", "cp", "--recursive", plain.model_uri, "model"]
    assert commands(render_card(plain))[0] == copy
    assert commands(render_card(elsewhere))[0] == [
        *copy, "--endpoint-url", "http://minio.example:9000", "--region", "eu-x"
    ]  # fmt: skip
    program, *arguments = commands(render_card(plain))[1]
    asked = parse_args(arguments)
    assert (program, asked.model, asked.prompt, asked.count) == ("tweetbot-trainer", "model", "My dream is", 5)
    assert [one[0] for one in commands(render_card(some_card_data(model_uri="file:///x/model")))] == [
        "tweetbot-trainer"
    ]


def test_a_bucket_that_is_named_by_the_path_is_asked_for_by_it() -> None:
    card = render_card(some_card_data(output=S3Output(uri="s3://tweetbot/models", addressing_style="Path")))
    assert commands(card)[0][:5] == ["aws", "configure", "set", "default.s3.addressing_style", "path"]


def test_the_adapters_card_says_how_to_get_the_adapter() -> None:
    values = replace(some_values(), lora=LoraConfig(8, 16))
    output = S3Output(uri="s3://tweetbot/models", endpoint="http://minio.example")
    card = some_card_data(values=values, base=HUB, output=output)
    adapter = card.model_uri.removesuffix("/model") + "/adapter"
    expected = ["aws", "s3", "cp", "--recursive", adapter, "adapter", "--endpoint-url", "http://minio.example"]
    assert commands(render_adapter_card(card))[0] == expected
    assert expected in commands(render_card(card))


@pytest.mark.parametrize(
    ("base", "fields", "words"),
    [
        (HUB, {"license": "mit"}, "As its base, [gpt2](https://huggingface.co/gpt2): `mit`"),
        (replace(HUB, uri="hf://distilbert/distilgpt2"), {"license": "apache-2.0"}, "`apache-2.0`"),
        (replace(HUB, uri="hf://meta-llama/Llama-3.2-1B"), {"license": "llama3.2"}, "`llama3.2`. Built with Llama."),
        (
            replace(HUB, uri="hf://someone/gpt2"),
            {"license": "other", "license_name": "of-the-base"},
            "its [page](https://huggingface.co/someone/gpt2) states it",
        ),
        (
            BaseIdentity("s3://a-bucket/base", "folder", "f" * 64),
            {"license": "other", "license_name": "of-the-base"},
            "ask its owner",
        ),
        (
            some_card_data().base,
            {"license": "other", "license_name": "of-the-posts"},
            "No other model's weights are in this one",
        ),
    ],
)
def test_the_licence_is_the_bases_as_far_as_it_is_known(base: BaseIdentity, fields: dict[str, str], words: str) -> None:
    for render in (render_card, render_adapter_card):
        front, body = split_card(render(some_card_data(base=base)))
        assert {name: value for name, value in front.items() if name.startswith("license")} == fields
        assert words in body
        assert "belong to their author" in body


@pytest.mark.parametrize(
    ("base", "tag", "limits"),
    [
        (HUB, "gpt2", "its base ([GPT-2](https://cdn.openai.com/"),
        (
            replace(HUB, uri="hf://Qwen/Qwen3-0.6B-Base", architecture="qwen3"),
            "qwen3",
            "its base ([Qwen3](https://huggingface.co/Qwen/Qwen3-0.6B-Base))",
        ),
        (BaseIdentity("s3://a-bucket/base", "folder", "f" * 64, architecture="llama"), "llama", "its base (Llama)"),
    ],
)
def test_a_card_names_the_family_of_its_base(base: BaseIdentity, tag: str, limits: str) -> None:
    front, body = split_card(render_card(some_card_data(base=base)))
    assert tag in front["tags"]
    assert limits in body


@pytest.mark.parametrize(("rate", "told"), [(None, False), (0.05, False), (0.73, True)])
def test_a_model_that_copies_says_so_at_the_top(rate: float | None, told: bool) -> None:
    metrics = some_card_data().metrics.model_copy(update={"verbatim_rate": rate})
    top = split_card(render_card(some_card_data(metrics=metrics)))[1].split("##")[0]
    assert ("**It copies.** 73% of what it writes repeats 50 characters" in top) is told


def test_a_gate_that_could_not_be_judged_is_named_at_the_top() -> None:
    card = some_card_data(missed_gates=("its verbatim rate was not measured",))
    top = split_card(render_card(card))[1].split("##")[0]
    assert "**Look at its samples before you rely on it:** its verbatim rate was not measured." in top
    assert "Look at its samples" not in render_card(some_card_data())


@pytest.mark.parametrize("text", ["حلمي هو أن أرى البحر 7!", "אבא (1)", "a b: حلمي"])
def test_text_from_right_to_left_reorders_nothing_around_it(text: str) -> None:
    body = split_card(render_card(some_card_data(samples=(Sample(prompt="x", text=text),))))[1]
    assert f"- \u2068{escape_inline(text)[1:-1]}\u2069\n" in body


def test_the_data_table_adds_up() -> None:
    shown = cells(some_card_data())
    names = ("Posts downloaded", "Retweets", "Short posts", "Near-duplicates")
    downloaded, *dropped = (int(shown[shown.index(name) + 1]) for name in names)
    assert shown[shown.index("**Posts kept**") + 1] == f"**{downloaded - sum(dropped)}**"


def test_what_sources_hold_and_what_was_left_out_stands_above() -> None:
    claiming = DataTable(claimed=30, unreadable=2, missing=3, downloaded=25, kept=25)
    silent = DataTable(downloaded=5, kept=5)
    both = DataTable(claimed=35, unreadable=2, missing=3, downloaded=30, kept=30)
    card = some_card_data(source_names=("a", "b"), source_tables=(claiming, silent), table=both)
    shown = cells(card)
    assert shown[4:16] == [
        "Held, as the source says", "30", "unknown", "35", "Damaged records", "2", "0", "2", "Missing", "3", "0", "3",
    ]  # fmt: skip
    assert "or it is missing" in render_card(card)
    assert "Missing" not in cells(some_card_data())


def test_several_sources_have_a_column_each() -> None:
    one, other = DataTable(downloaded=10, retweets=4, kept=6), DataTable(downloaded=8, replies=1, kept=7)
    both = DataTable(downloaded=18, retweets=4, replies=1, kept=13)
    card = some_card_data(source_names=("X archive", "@x by the X API"), source_tables=(one, other), table=both)
    shown = cells(card)
    assert shown[:4] == ["Data", "X archive", r"\@x by the X API", "all"]
    assert shown[shown.index("Replies") :][:4] == ["Replies", "0", "1", "1"]


def test_retweets_that_were_not_downloaded_are_not_counted_as_zero() -> None:
    table = DataTable(downloaded=10, retweets=0, kept=10)
    shown = cells(some_card_data(source_tables=(table,), table=table, without_retweets=(True,)))
    assert shown[shown.index("Retweets") + 1] == "not downloaded"
    one, both = DataTable(downloaded=10, retweets=4, kept=6), DataTable(downloaded=20, retweets=4, kept=16)
    card = some_card_data(
        source_names=("a", "b"), source_tables=(one, table), table=both, without_retweets=(False, True)
    )
    shown = cells(card)
    assert shown[shown.index("Retweets") :][:4] == ["Retweets", "4", "not downloaded", "4"]


def test_the_weights_of_the_sources_are_shown() -> None:
    table = DataTable(downloaded=10, kept=10)
    values = replace(some_values(), source_weights=(1, 3))
    card = some_card_data(source_names=("one", "other"), source_tables=(table, table), values=values)
    shown = cells(card)
    assert shown[shown.index("Weight in training") :][:4] == ["Weight in training", "1", "3", ""]


def test_nobody_can_miss_that_a_machine_writes() -> None:
    front, body = split_card(render_card(some_card_data()))
    assert front["ai_generated"] is True
    assert "ai-generated" in front["tags"]
    assert r"AI-generated imitation of \@harbour\_gull" in body


@pytest.mark.parametrize(
    ("relation", "words"),
    [
        ("Unspecified", "did not state"),
        ("Self", "their own posts"),
        ("Consented", "agreed to this bot"),
        ("Fictional", "fictional account"),
        ("Parody", "neither made nor endorses"),
    ],
)
def test_the_relation_is_stated(relation: Any, words: str) -> None:
    card = some_card_data(subject=Subject(handle="x", relation=relation, consent_ref="https://forms.example/7"))
    body = split_card(render_card(card))[1]
    assert words in body
    assert "On record: https\\://forms.example/7" in body


def test_the_tuned_model_is_compared_with_its_base() -> None:
    plain = some_card_data(base=HUB, ratio_interval=(0.68, 0.74))
    metrics = plain.metrics.model_copy(update={"base_bits_per_byte": 0.3125})
    shown = cells(replace(plain, metrics=metrics))
    assert shown[shown.index("Bits per byte relative to the base") + 1] == "70.3% (95 % interval 68.0% to 74.0%)"


def test_the_style_score_stands_beside_what_its_ends_mean() -> None:
    page = render_card(some_card_data())
    assert "**0.91** (95 % interval 0.88 to 0.95); by function words alone 0.87." in page
    assert "1 is how Harbour Gull writes in posts that it was not trained on" in page


def test_a_style_that_was_not_measured_says_why() -> None:
    page = render_card(some_card_data(style=Style(untold="it takes 30 posts held out, and there are 4")))
    assert "sounds like its author was not measured: it takes 30 posts held out, and there are 4." in page


def test_a_catalogue_reads_the_figures() -> None:
    plain = some_card_data(base=HUB)
    measured = {
        "base_bits_per_byte": 0.31,
        "verbatim_rate": 0.012,
        "distinct2": 0.63,
        "leaked_samples": 0,
        "style_score": 0.91,
    }
    front, _ = split_card(render_card(replace(plain, metrics=plain.metrics.model_copy(update=measured))))
    (result,) = front["model-index"][0]["results"]
    assert {metric["type"]: metric["value"] for metric in result["metrics"]} == {
        "loss": 0.6934,
        "perplexity": 2.0005,
        "bits_per_byte": 0.2197,
        "base_bits_per_byte": 0.31,
        "verbatim_rate": 0.012,
        "distinct_2": 0.63,
        "leaked_samples": 0.0,
        "style_score": 0.91,
    }
    assert (front["base_model"], front["base_model_relation"]) == ("gpt2", "finetune")
    assert (front["language"], front["pipeline_tag"]) == (["en"], "text-generation")
    assert front["widget"] == [{"text": "My dream is"}]
    assert front["thumbnail"] == "predictions.png"


def test_a_scratch_base_is_no_model_of_the_hub() -> None:
    assert "base_model" not in split_card(render_card(some_card_data()))[0]


def test_an_unknown_language_is_not_made_up() -> None:
    assert "language" not in split_card(render_card(some_card_data(languages=CardLanguages(()))))[0]


def test_the_language_of_the_posts_is_named_or_called_undetermined() -> None:
    assert "Their language: en, ja." in render_card(some_card_data(languages=CardLanguages(("en", "ja"))))
    detected = render_card(some_card_data(languages=CardLanguages(("de",), detected=True)))
    assert "Their language: de (detected by py3langid where posts have no label, or a wrong one)." in detected
    assert "Their language is undetermined." in render_card(some_card_data(languages=CardLanguages(())))


def test_a_hub_base_is_linked_with_its_commit() -> None:
    body = split_card(render_card(some_card_data(base=HUB)))[1]
    assert "[gpt2](https://huggingface.co/gpt2) at commit `607a30d783df`" in body


def test_every_hyper_parameter_is_shown() -> None:
    values = some_values(learning_rate="1.372e-4", seed=7, batch_tokens=1024)
    shown = cells(some_card_data(values=values))
    assert "0.0001372, cosine to 0, warm-up 10% of the steps" in shown
    assert shown[shown.index("Seed") + 1] == "7"
    assert shown[shown.index("Batch") + 1] == "1024 label tokens per step"


def test_the_tracked_run_is_linked() -> None:
    body = split_card(render_card(some_card_data(tracking_url="https://wandb.example/team/run")))[1]
    assert "[The run is on Weights & Biases](https://wandb.example/team/run)" in body.replace("&amp;", "&")
    assert "[artifacts](https://wandb.example/team/run/artifacts)" in body
    assert "Weights" not in split_card(render_card(some_card_data()))[1]


def test_the_figures_of_a_measured_base_are_shown() -> None:
    metrics = some_card_data().metrics.model_copy(update={"base_bits_per_byte": 1.25})
    shown = cells(some_card_data(metrics=metrics))
    assert shown[shown.index("Bits per byte of the base before training") + 1] == "1.2500"


def test_few_test_posts_are_a_caution() -> None:
    metrics: Metrics = some_card_data().metrics.model_copy(update={"reliability": "Low"})
    assert "take the figures as a hint" in render_card(some_card_data(metrics=metrics, parts=(30, 4, 4)))


@pytest.mark.parametrize(
    ("kept", "validation", "watch", "stopping"),
    [
        (400, 40, "tell when to stop", "on"),
        (40, 4, "are only watched", "off"),
        (600, 30, "are only watched", "off"),
        (600, 60, "tell when to stop", "on"),
    ],
)
def test_the_card_says_whether_the_validation_posts_ended_the_training(
    kept: int, validation: int, watch: str, stopping: str
) -> None:
    values = resolve_hyperparameters(Training(), "hf://gpt2", (), posts=kept)
    card = render_card(some_card_data(values=values, parts=(kept - 2 * validation, validation, validation)))
    assert watch in card
    assert f"early stopping {stopping}" in card


def test_only_accounts_with_a_picture_have_one_on_the_card() -> None:
    assert "Picture of" not in render_card(some_card_data())
    accounts = (
        CardAccount(0, "gull", "Gull", b"a picture"),
        CardAccount(1, "heron", "Heron"),
        CardAccount(2, None, None, b"another"),
    )
    body = split_card(render_card(some_card_data(accounts=accounts)))[1]
    pictures = [child for token in PARSER.parse(body)[:3] for child in token.children or [] if child.type == "image"]
    assert [child.attrs["src"] for child in pictures] == ["avatar-0.png", "avatar-2.png"]
    assert [child.content for child in pictures] == ["Picture of Gull", "Picture of Harbour Gull"]


@pytest.mark.parametrize(
    ("display_name", "accounts", "title"),
    [
        ("Harbour Gull", (CardAccount(0, "gull", "Gull"),), "🤖 Harbour Gull: an AI bot"),
        (None, (CardAccount(0, "gull", "Gull"),), "🤖 Gull: an AI bot"),
        (None, (CardAccount(0, "gull", "Gull"), CardAccount(1, "gull.example", "Gull")), "🤖 Gull: an AI bot"),
        (None, (CardAccount(0, "gull", "Gull"), CardAccount(1, "heron", "Heron")), "🤖 Gull & Heron: an AI cyborg"),
        (None, (CardAccount(0, "gull"),), r"🤖 harbour\_gull: an AI bot"),
    ],
)
def test_the_name_is_the_specs_then_the_accounts_then_the_handle(
    display_name: str | None, accounts: tuple[CardAccount, ...], title: str
) -> None:
    subject = Subject(handle="harbour_gull", display_name=display_name)
    body = split_card(render_card(some_card_data(subject=subject, accounts=accounts)))[1]
    assert headings(body)[0].replace("&amp;", "&") == title


def test_an_account_that_is_not_the_subjects_is_named() -> None:
    found = Contradictions("harbour_gull", others=("old_gull",))
    body = split_card(render_card(some_card_data(contradictions=found)))[1]
    assert r"The posts come from the account \@old\_gull." in body
    assert "come from the account" not in render_card(some_card_data())


def test_what_the_sources_contradict_is_left_out() -> None:
    found = Contradictions("old_gull", relation=True, others=("old_gull",))
    card = render_card(some_card_data(contradictions=found))
    assert "nobody real is imitated" in render_card(some_card_data())
    assert "nobody real is imitated" not in card
    assert "@harbour_gull" not in card.replace("\\", "")


def test_only_samples_of_which_none_was_cut_are_called_unedited() -> None:
    assert "unedited and in the order of writing" in render_card(some_card_data())
    card = render_card(some_card_data(samples_cut=3))
    assert "unedited" not in card
    assert "3 that were longer than a post end where it would, in …" in card


def hostile(text: str) -> CardData:
    """Return card data in which every free text of a user is this one."""
    subject = Subject(handle="harbour_gull", display_name=text[:100], relation="Consented", consent_ref=text[:512])
    sample = Sample(prompt=text[:280], text=text)
    return some_card_data(
        subject=subject, samples=(sample, sample), prompts=(text[:280],), tracking_url=text,
        accounts=(CardAccount(0, text[:50], text[:100], b"a picture"), CardAccount(1, text[:50], text[:60])),
        contradictions=Contradictions(text[:50], others=(text[:50],)),
        base=replace(HUB, uri=f"hf://{text}"), made_by=text, newest_post_at=text, cleaning_recipe=text,
    )  # fmt: skip


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_does_not_change_the_structure_of_the_card(text: str) -> None:
    plain, attacked = (PARSER.parse(split_card(render_card(card))[1]) for card in (hostile("plain"), hostile(text)))
    assert [token.type for token in attacked] == [token.type for token in plain]
    children = [child for token in attacked for child in token.children or []]
    assert not any(child.type == "html_inline" for child in children)
    addresses = [str(child.attrs.get("href", child.attrs.get("src"))) for child in children if child.attrs]
    assert all(address.startswith("http") or ":" not in address for address in addresses)


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_stays_a_string_in_the_front_matter(text: str) -> None:
    front, _ = split_card(render_card(hostile(text)))
    assert list(front)[:3] == ["language", "library_name", "pipeline_tag"]
    assert len(front["widget"]) == 1


def test_the_same_data_gives_the_same_card() -> None:
    assert render_card(some_card_data()) == render_card(some_card_data())


def test_sources_are_named_without_their_buckets() -> None:
    sources = (
        Source(archive=ArchiveSource(uri="s3://secret-bucket/a.zip")),
        Source(posts=PostsSource(uri="s3://secret-bucket/b.jsonl")),
        Source(x=XSource(handle="gull", token_secret={"name": "x", "key": "t"}, accept_terms=True)),
        Source(bluesky=BlueskySource(actor="gull.example.com")),
        Source(bluesky=BlueskySource(actor="did:plc:gull")),
        Source(bluesky=BlueskySource(car="s3://secret-bucket/folder/c.car")),
        Source(mastodon=MastodonSource(uri="s3://secret-bucket/d.zip")),
        Source(threads=ThreadsSource(uri="s3://secret-bucket/e.zip")),
        Source(instagram=InstagramSource(uri="s3://secret-bucket/f.zip")),
        Source(reddit=RedditSource(uri="s3://secret-bucket/g.zip")),
    )
    assert get_source_names(sources) == (
        "X archive a.zip",
        "file b.jsonl",
        "@gull by the X API",
        "@gull.example.com on Bluesky",
        "did:plc:gull on Bluesky",
        "Bluesky repository c.car",
        "Mastodon export d.zip",
        "Threads export e.zip",
        "Instagram export f.zip",
        "Reddit export g.zip",
    )


def test_the_accounts_that_posts_come_from_are_linked() -> None:
    sources = (
        Source(archive=ArchiveSource(uri="s3://a-bucket/a.zip")),
        Source(posts=PostsSource(uri="s3://a-bucket/b.jsonl")),
        Source(x=XSource(handle="gull", token_secret={"name": "x", "key": "t"}, accept_terms=True)),
        Source(bluesky=BlueskySource(actor="did:plc:gull")),
        Source(bluesky=BlueskySource(car="s3://a-bucket/c.car")),
        Source(mastodon=MastodonSource(uri="s3://a-bucket/d.zip")),
        Source(threads=ThreadsSource(uri="s3://a-bucket/e.zip")),
        Source(instagram=InstagramSource(uri="s3://a-bucket/f.zip")),
        Source(reddit=RedditSource(uri="s3://a-bucket/g.zip")),
    )
    handles = {0: "gull", 4: "gull.example", 5: "gull@sea.example", 6: "gull.1", 7: "gull.1", 8: "gull-1"}
    accounts = tuple(CardAccount(index, handle) for index, handle in handles.items())
    pages = list_account_pages(sources, accounts, Subject(handle="gull", relation="Self"))
    assert pages == (
        ("@gull", "https://x.com/gull"),
        ("did:plc:gull", "https://bsky.app/profile/did:plc:gull"),
        ("@gull.example", "https://bsky.app/profile/gull.example"),
        ("@gull@sea.example", "https://sea.example/@gull"),
        ("@gull.1", "https://www.threads.com/@gull.1"),
        ("@gull.1", "https://www.instagram.com/gull.1/"),
        ("u/gull-1", "https://www.reddit.com/user/gull-1/"),
    )
    assert ("@gull", "https://x.com/gull") in links(split_card(render_card(some_card_data(account_pages=pages)))[1])
    assert list_account_pages(sources, accounts, Subject(handle="gull", relation="Fictional")) == ()
