"""What fits into a termination message."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import (
    MESSAGE_LIMIT,
    DatasetResult,
    HubCopy,
    HubResult,
    Metrics,
    PinSucceeded,
    PrepareSucceeded,
    PublishedModel,
    Sample,
    StageFailed,
    TrainSucceeded,
    decode,
    encode,
)
from tweetbot_contract.result.erasure import ForgetSucceeded, LeftOver

MODEL = PublishedModel(name="a-b-c", uri="s3://b/m", digest="d", size_bytes=1, published_at="2026-11-23T00:00:00Z")


def metrics(**changes: Any) -> Metrics:
    values = {"eval_loss": 1.0, "perplexity": 2.7, "bits_per_byte": 1.1, "train_loss": 0.9}
    return Metrics(**{**values, "tokens_per_second": 100.0, "train_seconds": 13.0, **changes})


def trained(samples: int) -> TrainSucceeded:
    texts = tuple(Sample(prompt="My dream is", text="🦆" * 250) for _ in range(samples))
    return TrainSucceeded(model=MODEL, metrics=metrics(), samples=texts)


def test_a_result_survives_encoding() -> None:
    assert decode(encode(trained(2)).decode()) == trained(2)


def test_a_style_score_survives_encoding_with_its_interval() -> None:
    told = metrics(style_score=0.71, style_score_low=0.66, style_score_high=0.75, function_word_score=0.64)
    assert (
        decode(encode(trained(0).model_copy(update={"metrics": told})).decode()).to_dict()["metrics"] == told.to_dict()
    )
    assert told.to_dict()["styleScoreLow"] == 0.66
    assert "styleScore" not in metrics().to_dict(), "a score that was not told is absent, not null"


def test_samples_are_dropped_first_from_a_long_message() -> None:
    message = encode(trained(20))
    result = decode(message.decode())
    assert len(message) <= MESSAGE_LIMIT
    assert isinstance(result, TrainSucceeded)
    assert 0 < len(result.samples) < 20


def test_samples_of_an_adopted_model_are_dropped_first() -> None:
    dataset = DatasetResult(digest="0" * 64, uri="s3://b/d", table=DataTable(downloaded=1, kept=1))
    message = encode(PrepareSucceeded(dataset=dataset, adopted=trained(20)))
    assert len(message) <= MESSAGE_LIMIT


def test_samples_of_a_pinned_model_are_dropped_first() -> None:
    message = encode(PinSucceeded(served=trained(20), run_id="0" * 16, newest="1" * 16))
    assert len(message) <= MESSAGE_LIMIT
    result = decode(message.decode())
    assert isinstance(result, PinSucceeded)
    assert result.served
    assert result.served.model == MODEL


def test_words_about_an_owner_are_cut_where_long_addresses_leave_no_room() -> None:
    model = MODEL.model_copy(update={"uri": f"s3://{'m' * 1395}"})
    adopted = trained(3).model_copy(update={"model": model, "gate_advisory": "y" * 1024})
    dataset = DatasetResult(digest="d" * 64, uri=f"s3://{'d' * 1395}", table=DataTable(downloaded=1, kept=1))
    message = encode(PrepareSucceeded(dataset=dataset, adopted=adopted, prefix_owned="x" * 1024))
    assert len(message) <= MESSAGE_LIMIT
    result = decode(message.decode())
    assert isinstance(result, PrepareSucceeded)
    assert result.prefix_owned
    assert result.adopted


def test_what_a_training_did_less_is_cut_where_the_rest_leaves_no_room() -> None:
    long = {"model": MODEL.model_copy(update={"uri": f"s3://{'m' * 1395}"}), "gate_advisory": "y" * 1024}
    message = encode(trained(3).model_copy(update={**long, "advisory": "x" * 1024, "prefix_owned": "z" * 1024}))
    assert len(message) <= MESSAGE_LIMIT
    result = decode(message.decode())
    assert isinstance(result, TrainSucceeded)
    assert result.advisory


def test_what_the_hub_said_leaves_room_for_the_rest() -> None:
    copy = HubCopy(url=f"https://{'h' * 500}", commit="c" * 40, at="2026-11-23T00:00:00.000Z")
    long = {"model": MODEL.model_copy(update={"uri": f"s3://{'m' * 1395}"}), "gate_advisory": "y" * 1024}
    hub = HubResult(published=copy, degraded="x" * 512)
    result = trained(3).model_copy(update={**long, "advisory": "x" * 1024, "hub": hub})
    for outcome in (result, PinSucceeded(served=result)):
        message = encode(outcome)
        assert len(message) <= MESSAGE_LIMIT
        assert hub.degraded
        assert hub.degraded in message.decode()


def test_what_could_not_be_erased_is_named_as_far_as_there_is_room_and_counted_in_full() -> None:
    left = LeftOver(what=f"s3://{'m' * 500}", reason="ObjectLocked", message="x" * 512)
    message = encode(ForgetSucceeded(left=(left,) * 20, left_total=20))
    assert len(message) <= MESSAGE_LIMIT
    result = decode(message.decode())
    assert isinstance(result, ForgetSucceeded)
    assert (0 < len(result.left) < 20, result.left_total) == (True, 20)


def test_a_long_failure_is_truncated() -> None:
    assert len(encode(StageFailed(reason="TrainerBug", message="🦆" * 1024))) <= MESSAGE_LIMIT


def test_a_traceback_is_not_a_result() -> None:
    with pytest.raises(ValueError, match="JSON"):
        decode("Traceback (most recent call last):")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_rejected(number: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        metrics(eval_loss=number)


def test_a_figure_is_rounded_to_five_digits() -> None:
    assert metrics(eval_loss=0.7757892827878053, tokens_per_second=12345.678).eval_loss == 0.77579


def test_a_table_adds_up() -> None:
    table = DataTable(downloaded=3247, retweets=167, short=156, kept=2924)
    assert table.kept == 2924


def test_a_table_that_does_not_add_up_is_rejected() -> None:
    with pytest.raises(ValidationError, match="kept 2925 is not downloaded 3247 less 323"):
        DataTable(downloaded=3247, retweets=167, short=156, kept=2925)
