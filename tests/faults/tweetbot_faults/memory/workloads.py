"""The learned workloads: what users and trainers do with one TweetBot, from its creation to its end."""

from collections.abc import Callable, Coroutine
from typing import Any

from builders.operator import a_prepare_result, a_published_version, a_refusal_of_the_trainer, a_train_result
from tweetbot_faults.memory.world import World

Workload = Callable[[World], Coroutine[Any, Any, None]]


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


async def retry_often(world: World) -> None:
    await world.create()
    for seconds in (600, 1200, 2400):
        await world.end(a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer"), code=75)
        await world.rest(seconds)
    await world.end()
    await world.end()


async def meet_a_stranger(world: World) -> None:
    """Somebody's Job has the name of the first child, for a while."""
    name = "gull-d863418d-prepare"
    template = {"spec": {"containers": [{"name": "theirs"}]}}
    world.cluster.put(
        "jobs", {"metadata": {"namespace": "team-a", "name": name, "labels": {}}, "spec": {"template": template}}
    )
    world.unmanaged.add(name)
    await world.create()
    world.unmanaged.clear()
    await world.remove_job(name)
    await world.rest(600)
    await world.end()
    await world.end()


async def live_beside_siblings(world: World) -> None:
    """Two TweetBots of one namespace, and one of another that has the name of the first."""
    await world.create()
    await world.create(name="tern")
    await world.create(namespace="team-b")
    await world.change(suspend=True)
    await world.end()
    await world.end(namespace="team-b")
    await world.end(namespace="team-b")
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


async def pin(world: World) -> None:
    """Another version is served, and then the newest again."""
    await succeed(world)
    await world.change(pin="1" * 16)
    await world.end()
    await world.change(pin=None)
    await world.end()


async def pin_at_work(world: World) -> None:
    """Another version is pinned while the training runs, which publishes beside it."""
    await succeed(world)
    world.cluster.annotate("team-a", "gull", {"tweetbot.dev/retrain-at": "2026-01-01T13:00:00Z"})
    world.remember()
    await world.rest()
    await world.end()
    await world.change(pin="1" * 16)
    await world.end(job="-pin")
    await world.end(a_published_version("2" * 16, pinned="1" * 16))


async def forget(world: World) -> None:
    """Posts are to be forgotten: a run without them, and then the erasure."""
    await succeed(world)
    world.cluster.annotate("team-a", "gull", {"tweetbot.dev/forget-at": "2026-01-01T13:00:00Z"})
    await world.change(filter={"excludeIds": ["7"]})
    await world.end()
    await world.end()
    await world.end()


WORKLOADS: dict[str, Workload] = {
    each.__name__.replace("_", "-"): each
    for each in (
        succeed,
        fail,
        retry,
        retry_often,
        meet_a_stranger,
        live_beside_siblings,
        retrain,
        edit,
        resize,
        suspend,
        delete,
        recreate,
        erase,
        erase_at_work,
        adopt,
        pin,
        pin_at_work,
        forget,
    )
}
