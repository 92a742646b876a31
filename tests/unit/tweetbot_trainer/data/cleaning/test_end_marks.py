"""No reader of the dataset may take what somebody typed for the end of a post."""

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers

from tweetbot_trainer.data.cleaning.modern import defuse_end_marks
from tweetbot_trainer.data.posts import END_MARK

DISGUISES = [
    "<|endoftext|>",
    "<|EndOfText|>",
    "＜｜ｅｎｄｏｆｔｅｘｔ｜＞",
    "﹤|endoftext|﹥",
    "<|endof\u200btext|>",
    "<\u2060|endoftext|\u200d>",
    "<|endof<|endoftext|>text|>",
    "<|endoftext|><|endoftext|>",
]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_tokenizer_reads_a_mark_in_what_is_left(disguise: str) -> None:
    """This one looks through case, width and invisible signs, as some bases' tokenizers do."""
    tokenizer = Tokenizer(models.BPE())
    invisible = (normalizers.Replace(sign, "") for sign in ("\u200b", "\u2060", "\u200d"))
    tokenizer.normalizer = normalizers.Sequence([*invisible, normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.add_special_tokens([AddedToken(END_MARK, normalized=True)])
    assert END_MARK in tokenizer.encode(f"one {disguise} two").tokens
    assert END_MARK not in tokenizer.encode(f"one {defuse_end_marks(disguise)} two").tokens


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("one <|endoftext|> two", "one <endoftext> two"),
        ("＜｜endoftext｜＞", "＜endoftext＞"),
        ("a < b | c > d", "a < b | c > d"),
        ("<|startoftext|> <| endoftext |> stay", "<|startoftext|> <| endoftext |> stay"),
    ],
)
def test_only_the_bars_of_a_mark_go(text: str, after: str) -> None:
    assert defuse_end_marks(text) == after
