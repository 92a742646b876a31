"""How many damaged records a source may have."""

import pytest

from tweetbot_trainer.data.sources.damage import FIRST, DamageCount
from tweetbot_trainer.runtime.errors import SpecRefused


def count(good: int, damaged: int) -> DamageCount:
    found = DamageCount(2, advice="upload it again")
    for _ in range(good):
        found.add_good()
    for number in range(damaged):
        found.add_damaged(f"row {number + 1}", "it has no text")
    found.check()
    return found


@pytest.mark.parametrize(("good", "damaged"), [(0, 0), (1, 3), (19, 1), (57, 3), (95, 5), (9500, 500)])
def test_a_few_damaged_records_are_left_out(good: int, damaged: int) -> None:
    assert count(good, damaged).damaged == damaged


@pytest.mark.parametrize(("good", "damaged"), [(0, 1), (0, 3), (1, 4), (94, 6), (9499, 501)])
def test_more_are_refused_with_the_first_of_them(good: int, damaged: int) -> None:
    with pytest.raises(
        SpecRefused, match=rf"{damaged} of {good + damaged} records cannot be read.*row 1: it has no text"
    ):
        count(good, damaged)


def test_a_wholly_wrong_source_is_not_read_to_its_end() -> None:
    with pytest.raises(SpecRefused, match=f"{FIRST} of {FIRST} records cannot be read. The first is row 1"):
        count(0, FIRST * 50)


def test_the_warning_names_count_and_first_record() -> None:
    (warning,) = count(139, 1).build_warnings()
    assert warning.reason == "PostsUnreadable"
    assert warning.message.startswith(
        "sources[2]: 1 of 140 records cannot be read and was left out. The first is row 1: "
    )
    assert count(5, 0).build_warnings() == ()
