"""The learned workloads: what users and trainers do with one TweetBot, from its creation to its end."""

from collections.abc import Awaitable, Callable

from builders.operator import a_prepare_result, a_refusal_of_the_trainer, a_train_result
from tweetbot_faults.memory.world import World

Workload = Callable[[World], Awaitable[None]]


async def succeed(world: World) -> None:
    await world.create()
    await world.end()
    await world.end()


async def fail(world: World) -> None:
    await world.create()
    await world.end(a_refusal_of_the_trainer(), code=10)


async def retry(world: World) -> None:
    await world.create()
    await world.end(a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer"), code=75)
    await world.rest(600)
    await world.end()
    await world.end()


async def retrain(world: World) -> None:
    await succeed(world)
    world.cluster.annotate("team-a", "gull", {"tweetbot.dev/retrain-at": "2026-01-01T13:00:00Z"})
    world.remember()
    await world.rest()
    await world.end()
    await world.end()


async def edit(world: World) -> None:
    """Another training is asked for while the data are prepared."""
    await world.create()
    await world.change(training={"epochs": 2})
    await world.end()
    await world.end()


async def resize(world: World) -> None:
    """The training gets other resources while it runs."""
    await world.create()
    await world.end()
    await world.change(resources={"memory": "3Gi"})
    await world.end()


async def suspend(world: World) -> None:
    await world.create()
    await world.change(suspend=True)
    await world.change(suspend=False)
    await world.end()
    await world.end()


async def delete(world: World) -> None:
    await world.create()
    await world.delete()


async def recreate(world: World) -> None:
    await world.create()
    await world.end()
    await world.delete()
    await world.create()
    await world.end()
    await world.end()


async def erase(world: World) -> None:
    await world.create(deletionPolicy="Delete")
    await world.end()
    await world.end()
    await world.delete()
    await world.end("")


async def erase_at_work(world: World) -> None:
    await world.create(deletionPolicy="Delete")
    await world.delete()
    await world.end("")


async def adopt(world: World) -> None:
    await world.create()
    await world.end(a_prepare_result(adopted=a_train_result()))


WORKLOADS: dict[str, Workload] = {
    each.__name__.replace("_", "-"): each
    for each in (
        succeed,
        fail,
        retry,
        retrain,
        edit,
        resize,
        suspend,
        delete,
        recreate,
        erase,
        erase_at_work,
        adopt,
    )
}
