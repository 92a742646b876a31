"""One name a figure at Weights & Biases, online and by sync."""

import re
from dataclasses import fields
from pathlib import Path

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import Metrics
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.publishing.tracking.figures import NAMES, rename_figures

HISTORY = {field.name for field in fields(LogEntry)}
SUMMARY = {Metrics.model_fields[name].alias or name for name in Metrics.model_fields}
COUNTS = set(DataTable.model_fields)
#: Figures of the history and of the summary that are the same figure: the summary has the last steps of a training.
SHARED = {"train_loss": "trainLoss", "tokens_per_second": "tokensPerSecond"}


def test_every_figure_of_a_model_has_a_name_with_its_group() -> None:
    assert {name for name in SUMMARY if "/" not in rename_figures({name: 0}).popitem()[0]} == set()
    assert {name for name in HISTORY if name not in NAMES} == {"step", "epoch"}
    assert set(NAMES) - SUMMARY - HISTORY == set()


def test_two_names_are_one_figure_or_two_figures_have_two_names() -> None:
    assert {name: NAMES[name] for name in SHARED} == {name: NAMES[other] for name, other in SHARED.items()}
    different = (SUMMARY | HISTORY | COUNTS) - set(SHARED)
    assert len(set(rename_figures(dict.fromkeys(different)))) == len(different)


def test_the_page_for_tenants_shows_the_same_table() -> None:
    page = Path("docs/tracking.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_0-9/]+)` \| (.*?) \| (.*?) \|", page, re.MULTILINE)
    shown = {own: name for name, *owners in rows for cell in owners for own in re.findall(r"`(\w+)`", cell)}
    assert shown == NAMES
