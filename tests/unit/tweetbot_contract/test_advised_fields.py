"""Every field that a text of the product names is one that a tenant can write."""

from builders.sentences.fields import CORRECTIONS, find_field, list_named_fields

NAMED = list_named_fields()


def test_every_field_that_a_text_names_exists() -> None:
    assert sorted(field for field in NAMED if find_field(field) is None) == []


def test_every_field_that_a_text_names_is_tried_on_the_api_server() -> None:
    """By tests/integration/install/test_crd_admission.py."""
    assert sorted(NAMED - CORRECTIONS.keys()) == []
