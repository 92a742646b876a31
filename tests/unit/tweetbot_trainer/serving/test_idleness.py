"""When the server ends by itself."""

import asyncio

from uvicorn.server import ServerState

from tweetbot_trainer.serving.server import Idleness


def test_a_server_is_idle_since_the_last_request_ended() -> None:
    state = ServerState()
    idleness = Idleness(state, now=100)
    assert idleness.measure_seconds(now=130) == 30
    state.total_requests += 1
    assert idleness.measure_seconds(now=140) == 0
    assert idleness.measure_seconds(now=145) == 5


async def test_a_server_that_writes_an_answer_is_not_idle() -> None:
    state = ServerState()
    idleness = Idleness(state, now=100)
    answer = asyncio.create_task(asyncio.sleep(0))
    state.tasks.add(answer)
    assert idleness.measure_seconds(now=900) == 0
    state.tasks.discard(answer)
    assert idleness.measure_seconds(now=905) == 5
    await answer
