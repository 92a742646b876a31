"""POST /api/posts and POST /api/picture."""

import asyncio
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from builders.serving.client import Client, a_served_model, a_server
from tweetbot_trainer.data.post_length import LIMIT, measure_weighted_length
from tweetbot_trainer.learning.generation.generation import Draft, PostGenerator
from tweetbot_trainer.serving.drafting.queue import WorkQueue
from tweetbot_trainer.serving.drafting.served import ServedModel

STREAM = {"accept": "text/event-stream"}
ASKED = {"prompt": "My dream is", "count": 3, "seed": 1}


async def test_posts_come_as_one_object(client: Client) -> None:
    answer = await client.post("/api/posts", ASKED)
    content = answer.json()
    assert [post["label"] for post in content["posts"]] == ["AI-generated"] * 3
    texts = [post["text"] for post in content["posts"]]
    assert len(set(texts)) == 3
    assert all(text.startswith("My dream is") and measure_weighted_length(text) <= LIMIT for text in texts)
    assert (content["copies"], content["tooLong"], content["seed"]) == (0, 0, 1)


async def test_posts_come_one_after_the_other_as_events(client: Client) -> None:
    answer = await client.post("/api/posts", ASKED, **STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in answer.events]
    assert names == ["post", "post", "post", "done"]
    assert [content["index"] for name, content in answer.events if name == "post"] == [0, 1, 2]
    assert answer.events[-1][1]["posts"] == 3


async def test_the_seed_gives_the_posts_and_no_seed_others(client: Client) -> None:
    first, again = [(await client.post("/api/posts", ASKED)).json()["posts"] for _ in range(2)]
    one, other = [(await client.post("/api/posts", {**ASKED, "seed": None})).json() for _ in range(2)]
    assert first == again
    assert one["seed"] != other["seed"]


async def test_posts_are_drawn_at_the_same_time_by_two_models_as_by_one(folder: Path) -> None:
    client = Client(a_server(a_served_model(folder, "a"), a_served_model(folder, "b")))
    alone = (await client.post("/api/posts", ASKED)).json()["posts"]
    both = await asyncio.gather(*(client.post("/api/posts", {**ASKED, "model": name}) for name in "ab"))
    assert [answer.json()["posts"] for answer in both] == [alone, alone]


async def test_copies_of_training_posts_are_thrown_away_and_counted(client: Client, folder: Path) -> None:
    texts = [post["text"] for post in (await client.post("/api/posts", ASKED)).json()["posts"]]
    careful = Client(a_server(a_served_model(folder, posts=tuple(texts[:1]))))
    answer = await careful.post("/api/posts", ASKED, **STREAM)
    dropped = [content for name, content in answer.events if name == "dropped"]
    assert dropped == [{"reason": "Copy"}] * answer.events[-1][1]["copies"]
    assert dropped
    assert texts[0] not in [content["text"] for name, content in answer.events if name == "post"]


async def test_what_leaves_no_room_for_a_word_is_too_long(client: Client) -> None:
    prompt = "a" * (LIMIT - 2)
    content = (await client.post("/api/posts", {"prompt": prompt, "count": 1, "seed": 1})).json()
    assert content["tooLong"] > 0
    assert all(measure_weighted_length(post["text"]) <= LIMIT for post in content["posts"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"[" * 5000, None),
        ({"prompt": "a" * LIMIT}, "prompt"),
        ({"prompt": "a" * 3000}, "prompt"),
        ({"count": 21}, "count"),
        ({"count": 0}, "count"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"model": "other"}, "model"),
        ({"promt": "a"}, "promt"),
    ],
)
async def test_what_cannot_be_done_is_named_by_its_field(client: Client, body: Any, field: str | None) -> None:
    answer = await client.post("/api/posts", body, **STREAM)
    assert answer.status == (404 if field == "model" else 400)
    assert answer.json()["error"]["param"] == field


async def test_a_large_body_is_refused(client: Client) -> None:
    assert (await client.post("/api/posts", b"x" * 17_000)).status == 413


async def test_a_place_in_the_queue_is_shown_and_beyond_it_nobody_waits(model: ServedModel) -> None:
    queue = WorkQueue(1)
    object.__setattr__(model, "queue", queue)
    client = Client(a_server(model))
    answers = await asyncio.gather(*(client.post("/api/posts", ASKED, **STREAM) for _ in range(3)))
    refused = [answer for answer in answers if answer.status == 429]
    assert [int(answer.headers["retry-after"]) >= 1 for answer in refused] == [True]
    queued = [answer.events[0] for answer in answers if answer.status == 200 and answer.events[0][0] == "queued"]
    assert queued == [("queued", {"place": 0})]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
async def test_a_client_that_goes_away_frees_its_place(model: ServedModel, accept: str) -> None:
    client, gone = Client(a_server(model)), asyncio.Event()
    body = b'{"count": 20, "temperature": 2}'
    leaving = asyncio.create_task(client.ask("POST", "/api/posts", body, headers={"accept": accept}, gone=gone))
    await asyncio.sleep(0)
    gone.set()
    await leaving
    answer = await client.post("/api/posts", ASKED, **STREAM)
    assert answer.events[-1][1]["posts"] == 3


async def test_the_picture_shows_what_the_model_wrote(client: Client) -> None:
    texts = [post["text"] for post in (await client.post("/api/posts", ASKED)).json()["posts"]]
    answer = await client.post("/api/picture", {"texts": texts, "prompt": "My dream is"})
    with Image.open(BytesIO(answer.body)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
        assert picture.info["ai_generated"] == "true"
        assert picture.info["Description"].startswith("AI-generated imitation of @harbour_gull.")
    assert answer.headers["content-disposition"] == 'attachment; filename="gull.png"'


async def test_a_picture_of_foreign_words_is_refused(client: Client) -> None:
    answer = await client.post("/api/picture", {"texts": ["I never said this"]})
    assert (answer.status, answer.json()["error"]["param"]) == (400, "texts.0")


async def test_a_bug_ends_the_stream_with_an_error_and_leaves_the_place(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[Any]:
        yield Draft("one")
        raise ZeroDivisionError("secret")

    with monkeypatch.context() as patch:
        patch.setattr(PostGenerator, "iter_drafts", fail)
        answer = await client.post("/api/posts", ASKED, **STREAM)
    assert [name for name, _ in answer.events] == ["post", "error"]
    assert ("secret" in answer.text, "ZeroDivisionError" in caplog.text) == (False, True)
    assert (await client.post("/api/posts", ASKED)).status == 200
