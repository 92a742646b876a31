"""What crosses a Pod's border."""

import pytest

from builders.manifests import a_spec
from tweetbot_contract.handover import NAME_LIMIT, RUN_DOCUMENT_LIMIT, RunDocument, build_job_name
from tweetbot_contract.spec.spec import TweetBotSpec


def a_document(spec: TweetBotSpec | None = None) -> RunDocument:
    names = {"namespace": "team-a", "name": "gull", "uid": "u", "run_id": "0123456789abcdef"}
    return RunDocument(stage="Prepare", run_number=1, spec=spec or a_spec(), **names)


def test_a_document_survives_encoding() -> None:
    assert RunDocument.model_validate_json(a_document().encode()) == a_document()


def test_no_dollar_is_left_for_the_kubelet_to_expand() -> None:
    document = a_document(a_spec(evaluation={"prompts": ["$(HOME) costs $5"]}))
    assert "$" not in document.encode()
    assert RunDocument.model_validate_json(document.encode()) == document


def test_the_largest_spec_fits() -> None:
    prompts = ["🦆" * 280] * 10
    assert len(a_document(a_spec(evaluation={"prompts": prompts})).encode().encode()) < RUN_DOCUMENT_LIMIT


def test_all_objects_of_a_bot_are_below_its_namespace_and_name() -> None:
    assert a_document().prefix == "s3://team-a/models/team-a/gull"


@pytest.mark.parametrize("stage", ["Prepare", "Train"])
def test_the_longest_name_makes_a_valid_job_name(stage: str) -> None:
    assert len(build_job_name("g" * NAME_LIMIT, "0123456789abcdef", stage)) <= 63  # type: ignore[arg-type]
