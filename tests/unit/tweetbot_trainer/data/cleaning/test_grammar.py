"""The demo's grammar: what the fictional account writes."""

from random import Random

from tweetbot_demo import grammar
from tweetbot_trainer.data.cleaning.huggingtweets import is_too_short
from tweetbot_trainer.data.cleaning.words import count_words


def test_a_seed_gives_the_same_sentences() -> None:
    assert [grammar.make_sentence(Random(1)) for _ in range(3)] == [grammar.make_sentence(Random(1)) for _ in range(3)]


def test_the_demos_prompt_is_the_commonest_beginning() -> None:
    random = Random(1)
    sentences = [grammar.make_sentence(random) for _ in range(1000)]
    assert 250 < sum(sentence.startswith("My dream is ") for sentence in sentences) < 450


def test_the_vocabulary_is_small_enough_for_the_smallest_model() -> None:
    random = Random(1)
    words = {word for _ in range(5000) for word in grammar.make_post(random).split()}
    assert len(words) < 200


def test_sentences_are_never_short_and_short_posts_always_are() -> None:
    random = Random(1)
    assert not any(is_too_short(grammar.make_sentence(random)) for _ in range(200))
    assert all(is_too_short(text) and count_words(text) < 3 for text in grammar.SHORT)


def test_no_personal_value_could_be_anybodys() -> None:
    random = Random(1)
    written = " ".join(grammar.make_personal_post(random) for _ in range(50))
    assert "@harbour.example" in written  # RFC 2606: .example belongs to nobody
    assert "555-01" in written  # reserved for fiction
