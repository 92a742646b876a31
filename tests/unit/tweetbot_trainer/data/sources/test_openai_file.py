"""Lines of files for OpenAI's fine-tuning."""

import json
from typing import Any

import pytest

from tweetbot_trainer.data.posts import BadPost, Post
from tweetbot_trainer.data.sources.openai_file import (
    OtherFile,
    Said,
    find_end_sign,
    parse_line,
    read_openai,
    strip_end_sign,
)


def said(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content} | fields


def texts_of(*messages: Any, **fields: Any) -> list[str]:
    return [text for text, _ in parse_line(json.dumps({"messages": messages} | fields))]


def test_only_the_assistant_is_heard() -> None:
    others = [{"role": role, "content": f"words of the {role}"} for role in ("system", "user", "developer", "tool")]
    assert texts_of(*others, said(" low tide "), others[1], said("fog"), tools=[]) == ["low tide", "fog"]


@pytest.mark.parametrize(
    "message",
    [
        said("not this", weight=0),
        said(None, tool_calls=[{"id": "1"}]),
        {"role": "assistant", "function_call": {"name": "f"}},
        said([{"type": "refusal", "refusal": "no"}]),
        said([]),
        said(""),
    ],
)
def test_what_is_not_to_be_learned_has_no_text(message: Any) -> None:
    assert texts_of(message, said("fog", weight=1)) == ["", "fog"]


def test_parts_of_a_text_are_joined() -> None:
    parts = [{"type": "text", "text": "low"}, {"type": "image_url", "text": "no"}, 5, {"type": "text", "text": "tide"}]
    assert texts_of(said(parts)) == ["low\ntide"]


def test_a_completion_stands_without_the_spaces_around_it() -> None:
    assert parse_line('{"prompt": "words of another", "completion": " low tide\\n"}') == [Said("low tide", bare=True)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not an object"),
        ('{"text": "fog"}', "neither messages nor a completion"),
        ('{"prompt": "x", "completion": 5}', "neither messages nor a completion"),
        (
            '{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}',
            "preference tuning.*; give the file for supervised",
        ),
        ('{"custom_id": "1", "body": {"messages": []}}', "a batch of requests or answers, which a model wrote"),
        ('{"messages": {}}', "messages is not a list"),
        ('{"messages": ["fog"]}', "messages is not a list of objects"),
        ('{"messages": [{"content": "fog"}]}', "a message has no role"),
        ('{"messages": [{"role": "assistant", "content": 5}]}', "neither text nor a list of parts"),
    ],
)
def test_a_line_of_another_kind_is_named(line: str, fault: str) -> None:
    with pytest.raises(BadPost, match=fault):
        parse_line(line)


@pytest.mark.parametrize(
    ("completions", "sign", "left"),
    [
        (["low tide ###", "fog\n###"], "###", ["low tide", "fog"]),
        (["low tide ####", "fog ###"], "###", ["low tide", "fog"]),
        (["low tide END", "THE END END"], "END", ["low tide", "THE END"]),
        (["low tide [END]", "fog[END]"], "[END]", ["low tide", "fog"]),
        (["THE END"], None, None),
        (["THE END", "fog"], None, None),
        (["LEGEND", "THE TREND"], None, None),
        (["low tide.", "fog."], None, None),
        (["", "fog ###", "tide ###"], "###", ["", "fog", "tide"]),
        ([], None, None),
    ],
)
def test_a_sign_that_ends_all_completions_is_removed(
    completions: list[str], sign: str | None, left: list[str] | None
) -> None:
    assert find_end_sign(completions) == sign
    if sign and left:
        assert [strip_end_sign(text, sign) for text in completions] == left


def test_a_completion_without_the_sign_stays() -> None:
    assert strip_end_sign("fog", "###") == "fog"


def test_every_answer_of_a_conversation_is_a_post() -> None:
    lines = [json.dumps({"messages": [said("low tide"), said("", weight=0), said("low tide")]}), "", "{"]
    (first, nothing, second, bad) = read_openai(lines, 2)
    assert [(number, post.text, post.source) for number, post in (first, second) if isinstance(post, Post)] == [
        (1, "low tide", 2),
        (1, "low tide", 2),
    ]
    assert first[1] != second[1]
    assert nothing == (1, None)
    assert (bad[0], str(bad[1])) == (3, "not JSON; a line is one whole object")


def test_the_sign_of_a_whole_file_is_removed() -> None:
    lines = [json.dumps({"prompt": "x ->", "completion": f" fog {n}\n###"}) for n in range(700)]
    lines.append(json.dumps({"messages": [said("a heading ###")]}))
    texts = [post.text for _, post in read_openai(lines, 0) if isinstance(post, Post)]
    assert texts == [*(f"fog {n}" for n in range(700)), "a heading ###"]


def test_another_file_of_openais_is_refused_by_its_line() -> None:
    with pytest.raises(OtherFile, match=r"line 2: it holds pairs of answers"):
        list(read_openai([json.dumps({"messages": [said("fog")]}), '{"preferred_output": []}'], 0))


def test_a_file_without_an_answer_is_refused() -> None:
    question = json.dumps({"messages": [{"role": "user", "content": "words of another"}], "reference_answer": "x"})
    with pytest.raises(OtherFile, match="no line holds a text of the assistant"):
        list(read_openai([question, question], 0))
    assert list(read_openai([], 0)) == []
