"""POST /v1/completions and GET /v1/models, as clients of OpenAI's completions speak them."""

from pathlib import Path
from typing import Any

import pytest

from builders.serving.client import Client, a_served_model, a_server

ASKED = {"model": "gull", "prompt": "My dream is", "seed": 1}


async def complete(client: Client, **changes: Any) -> Any:
    answer = await client.post("/v1/completions", {**ASKED, **changes})
    assert answer.status == 200, answer.text
    return answer.json()


async def test_the_form_is_openais(client: Client) -> None:
    content = await complete(client, n=2)
    assert (content["object"], content["model"]) == ("text_completion", "gull")
    assert content["id"].startswith("cmpl-")
    assert [choice["index"] for choice in content["choices"]] == [0, 1]
    assert {choice["finish_reason"] for choice in content["choices"]} <= {"stop", "length"}
    assert not any(choice["text"].startswith("My dream is") for choice in content["choices"])
    usage = content["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 1


async def test_several_prompts_give_n_texts_each_and_count_once(client: Client) -> None:
    one, two = [await complete(client, prompt=prompt, n=2, max_tokens=5) for prompt in ("My", ["My", "My"])]
    assert [choice["index"] for choice in two["choices"]] == [0, 1, 2, 3]
    assert two["usage"]["prompt_tokens"] == 2 * one["usage"]["prompt_tokens"]
    assert [choice["finish_reason"] for choice in one["choices"]] == ["length"] * 2


async def test_a_stream_ends_with_done_and_its_usage_if_asked_for(client: Client) -> None:
    answer = await client.post(
        "/v1/completions", {**ASKED, "n": 2, "stream": True, "stream_options": {"include_usage": True}}
    )
    *chunks, usage, end = [content for _, content in answer.events]
    whole = await complete(client, n=2)
    assert sorted(chunk["choices"][0]["index"] for chunk in chunks) == [0, 1]
    assert {chunk["choices"][0]["text"] for chunk in chunks} == {choice["text"] for choice in whole["choices"]}
    assert (usage["choices"], usage["usage"], end) == ([], whole["usage"], "[DONE]")


async def test_stop_ends_a_text_before_it(client: Client) -> None:
    (plain,) = (await complete(client))["choices"]
    middle = plain["text"][5:8]
    (stopped,) = (await complete(client, stop=[middle]))["choices"]
    assert (stopped["text"], stopped["finish_reason"]) == (plain["text"].split(middle)[0], "stop")


async def test_temperature_0_takes_the_likeliest_tokens(client: Client) -> None:
    texts = [(await complete(client, temperature=0, seed=seed))["choices"][0]["text"] for seed in (1, 2)]
    assert texts[0] == texts[1]


async def test_what_only_copies_is_filtered(client: Client, folder: Path) -> None:
    (plain,) = (await complete(client, temperature=0))["choices"]
    careful = Client(a_server(a_served_model(folder, posts=("My dream is" + plain["text"],))))
    (filtered,) = (await complete(careful, temperature=0))["choices"]
    assert (filtered["text"], filtered["finish_reason"]) == ("", "content_filter")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"logprobs": 1}, "logprobs"),
        ({"echo": True}, "echo"),
        ({"suffix": "x"}, "suffix"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"best_of": 3}, "best_of"),
        ({"n": 11, "prompt": ["a", "b"]}, "n"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"model": "gpt-4"}, "model"),
    ],
)
async def test_what_is_not_known_here_is_refused(client: Client, changes: dict[str, Any], field: str) -> None:
    answer = await client.post("/v1/completions", {**ASKED, **changes})
    assert answer.status == (404 if field == "model" else 400)
    error = answer.json()["error"]
    assert error["param"] == field
    assert set(error) == {"message", "type", "param", "code"}


async def test_fields_that_ask_for_nothing_are_ignored(client: Client) -> None:
    await complete(client, user="me", echo=False, presence_penalty=0, frequency_penalty=0.0, logit_bias={}, best_of=1)


async def test_the_models_are_listed(client: Client) -> None:
    listed = (await client.get("/v1/models")).json()
    assert (listed["object"], [model["id"] for model in listed["data"]]) == ("list", ["gull"])
