"""A rule that changes raises its recipe's version, or two datasets of different rules would claim to be of the same."""

import hashlib
import json
from itertools import product
from typing import Literal

import pytest

from builders.trainer import a_post
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import build_recipe, clean

#: Texts on which the rules have something to do; all pairs of them are cleaned, a space between or none.
PIECES = (
    "the tide is low",
    "The Tide is low!",
    "low",
    "@gull",
    "#tide",
    "RT @crab: ",
    "it&#39;s &amp;lt; &quot;",
    "https://t.co/a",
    "(HTTP://T.CO/B).",
    "www.harbour.example/x",
    "港の朝は静か",
    "ดีใจมาก",
    "🌊",
    "<|endoftext|>",
    "\n\t",
    "gull@harbour.example",
    "+1 202-555-0143",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "81.2.69.142",
    "on 2021-04-09 at 10:30 for $1,234,567",
)
#: Whoever sees this test fail on purpose raises the version in recipes.py and writes the new pair here.
GOLDEN = {
    ("huggingtweets", "1"): "0dad0e9037e1112a",
    ("modern", "3"): "9dce61e1502395ad",
}


@pytest.mark.parametrize("recipe", ["huggingtweets", "modern"])
def test_a_version_stands_for_its_rules(recipe: Literal["modern", "huggingtweets"]) -> None:
    filter = Filter(recipe=recipe)
    texts = [f"{one}{gap}{other}" for one, gap, other in product(PIECES, ("", " "), PIECES)]
    cleaned = clean((a_post(text, number=number) for number, text in enumerate(texts)), filter)
    output = json.dumps([(one.text, one.reason, one.redacted) for one in cleaned])
    version = build_recipe(filter).version.split(";")[0]
    assert hashlib.sha256(output.encode()).hexdigest()[:16] == GOLDEN.get((recipe, version))
