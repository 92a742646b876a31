"""The standing set's figures are those that were accepted, and the docs show them."""

import json

import pytest

from trial import quality
from trial.accounts import ACCOUNTS
from trial.figures import Figures, measure_all


@pytest.fixture(scope="module")
def accounts() -> dict[str, Figures]:
    return measure_all()


def test_every_account_has_the_accepted_figures(accounts: dict[str, Figures]) -> None:
    assert quality.compare(accounts, quality.read_accepted()["accounts"]) == "", "make trial ARGS=--accept"


def test_the_docs_show_the_accepted_figures() -> None:
    page = quality.PAGE.read_text(encoding="utf-8")
    assert quality.render_section(quality.read_accepted()) in page


def test_no_cut_text_no_others_words_and_no_name_before_a_reply_is_learned(accounts: dict[str, Figures]) -> None:
    wrong = {
        name: [one[key] for key in ("cut", "others", "names", "persons", "remains")] for name, one in accounts.items()
    }
    assert wrong == {name: [0] * 5 for name in ACCOUNTS}


def test_the_set_has_the_shapes_of_real_accounts(accounts: dict[str, Figures]) -> None:
    assert 13 < accounts["replies"]["namesInSource"] < 14
    assert 20 < accounts["replies-2013"]["namesInSource"] < 21.5
    assert {reason for one in accounts.values() for reason in one["reasons"]} >= {
        *("retweets", "edits", "truncated", "replies", "languages", "short", "duplicates", "not_public"),
    }


def test_a_figure_that_differs_is_shown(accounts: dict[str, Figures]) -> None:
    other = json.loads(json.dumps(accounts))
    other["cut"]["kept"] += 1
    difference = quality.compare(accounts, other)
    assert f'-  "kept": {other["cut"]["kept"]},' in difference
    assert f'+  "kept": {accounts["cut"]["kept"]},' in difference
