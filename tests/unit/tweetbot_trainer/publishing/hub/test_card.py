"""The card on the Hub loads the model by its name, and tells nothing of the bucket."""

from dataclasses import replace

import yaml

from builders.model import some_card_data, some_values
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.learning.values import LoraConfig
from tweetbot_trainer.publishing.hub.card import adapt_card
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.publishing.report.card_data import CardData

BUCKET = "s3://secret-bucket"
URL = "https://huggingface.co/harbour/gull"


def a_card_of_a_bucket(prompt: str = "My dream is") -> CardData:
    output = S3Output(uri="s3://secret-bucket", endpoint="https://s3.secret.example", addressing_style="Path")
    values = replace(some_values(), lora=LoraConfig(rank=4, alpha=8))
    card = replace(some_card_data(), model_uri="s3://secret-bucket/m/model", dataset_uri="s3://secret-bucket/d")
    return replace(card, output=output, values=values, prompts=(prompt,))


def adapted(card: CardData) -> str:
    return adapt_card(render_card(card), repo="harbour/gull", url=URL, version="v1", bucket=BUCKET)


def test_no_address_of_the_bucket_is_told() -> None:
    assert "secret" in render_card(a_card_of_a_bucket())
    text = adapted(a_card_of_a_bucket())
    assert "secret" not in text
    assert "aws s3" not in text
    assert "s3://my-bucket" in text, "the manifest for others stays"


def test_the_model_is_loaded_by_its_name() -> None:
    text = adapted(a_card_of_a_bucket())
    assert 'model="harbour/gull", revision="v1"' in text
    assert 'model="model"' not in text
    assert text.count("## Try it\n") == text.count("## Make your own bot\n") == text.count("</details>") == 1


def test_the_head_is_what_the_hubs_widget_reads() -> None:
    head = yaml.safe_load(adapted(a_card_of_a_bucket()).split("---\n")[1])
    before = yaml.safe_load(render_card(a_card_of_a_bucket()).split("---\n")[1])
    assert (head["pipeline_tag"], head["widget"]) == ("text-generation", [{"text": "My dream is"}])
    assert head["thumbnail"] == f"{URL}/resolve/main/predictions.png"
    assert {**head, "thumbnail": ""} == {**before, "thumbnail": ""}


def test_a_prompt_that_looks_like_a_heading_moves_no_section() -> None:
    text = adapted(a_card_of_a_bucket("My dream\n## Limitations\n---\n```"))
    assert "secret" not in text
    assert text.count("\n## Limitations and bias\n") == 1


def test_what_is_no_card_of_ours_stays_as_it_is() -> None:
    assert adapt_card("# A model\n", repo="a/b", url=URL, version="v1", bucket=BUCKET) == "# A model\n"


def test_a_card_of_an_earlier_release_tells_no_address_either() -> None:
    card = f"# A model\n\naws s3 cp --recursive {BUCKET}/m model --endpoint-url https://s3.secret.example\n\nTry it.\n"
    assert adapt_card(card, repo="a/b", url=URL, version="v1", bucket=BUCKET) == "# A model\n\n\nTry it.\n"
