"""How many words a post has, on texts that people write."""

import pytest

from builders.trainer import a_post
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.cleaning.words import count_words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("the tide is low", 4),
        ("@gull #low the tide", 2),
        (".@gull the tide", 2),
        ("＃朝 おはよう", 2),
        ("C# is it", 3),
        ("🌊 🐟 !!! ok", 1),
        ("wwwww", 1),
        ("iPhoneを買った", 4),
        ("오늘 바다 조용", 3),
        ("मैं तुमसे प्यार करता हूँ", 5),
        ("أنا أحبك كثيرا", 3),
        ("", 0),
    ],
)
def test_words_are_counted(text: str, count: int) -> None:
    assert count_words(text) == count


@pytest.mark.parametrize(
    "sentence",
    [
        "灯台の光が今夜もきれいだった",
        "お腹すいた",
        "@gull 今日は寒いね",
        "今天天气很好",
        "今天很冷",
        "วันนี้อากาศดีมากเลย",
        "ฉันรักเธอ",
        "ថ្ងៃនេះមេឃក្តៅណាស់",
        "ខ្ញុំស្រឡាញ់អ្នក",
        "ມື້ນີ້ອາກາດດີຫຼາຍ",
        "ຂ້ອຍຮັກເຈົ້າ",
        "ဒီနေ့ရာသီဥတုကောင်းတယ်",
        "ငါမင်းကိုချစ်တယ်",
        "བཀྲ་ཤིས་བདེ་ལེགས།",
    ],
)
def test_a_sentence_without_spaces_is_kept(sentence: str) -> None:
    assert [one.reason for one in clean([a_post(sentence)], Filter())] == [None]


@pytest.mark.parametrize("word", ["草", "おはよう", "谢谢", "ขอบคุณ", "អរគុណ", "ຂອບໃຈ", "ကျေးဇူး", "thanks"])
def test_a_word_alone_is_short_in_any_script(word: str) -> None:
    assert [one.reason for one in clean([a_post(word)], Filter())] == ["short"]
