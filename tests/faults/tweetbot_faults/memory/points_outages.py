"""Points at which the API server fails for a while, by method and error; and what a trainer's Pod may say."""

from collections.abc import Iterator
from functools import partial

from builders.operator import a_train_result
from tweetbot_contract.result import encode
from tweetbot_faults.memory.play import SAME_END, learn, play
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import CANARY, judge
from tweetbot_faults.point import Point, Violation
from tweetbot_operator.client import errors

#: Seconds of an outage in memory; what passes while it lasts costs no time here.
LENGTHS = (30, 300)
ERRORS: dict[str, tuple[int, errors.ApiError]] = {
    "500": (6, errors.InternalError("500: etcdserver: request timed out")),
    "503": (6, errors.Unavailable("503: the server is overloaded")),
    "429": (40, errors.Unavailable("429: too many requests")),
    "403": (46, errors.Rejected("403: tweetbot-operator may not do that")),
    "timeout": (61, errors.Timeout("no answer in time")),
    "webhook": (47, errors.WebhookUnavailable('failed calling webhook "policy": no endpoints')),
    "quota": (47, errors.Rejected("403: exceeded quota: team-a, requested: pods=1, used: pods=5, limited: pods=5")),
}
METHODS = ("apply_status", "preview_job", "create_job", "delete_job", "pods_of", "traces", "create_event")
#: A webhook or a quota stands before what is created alone.
_CREATIONS = ("preview_job", "create_job")


def plan_outages() -> Iterator[Point]:
    """Yield every method with every error."""
    for method in METHODS:
        for name, (row, _) in ERRORS.items():
            if name in ("webhook", "quota") and method not in _CREATIONS:
                continue
            for seconds in LENGTHS:
                id_ = f"memory/outage/{method}/{name}/{seconds}"
                yield Point(id_, row, "memory", partial(play_outage, method, name, seconds))
    for number, (code, message) in enumerate(MESSAGES):
        yield Point(f"memory/message/{number}/{code}", 67, "memory", partial(play_message, code, message))


def play_outage(method: str, name: str, seconds: int) -> list[Violation]:
    """All requests of a kind fail from the first on, for a while: the end is the same."""
    world = World()
    error = ERRORS[name][1]

    def fail(asked: str) -> errors.ApiError | None:
        lasts = (world.time - began).total_seconds() < seconds
        return error if asked == method and lasts else None

    began = world.time
    world.faulty.broken = fail

    async def sit_through(world: World) -> None:
        await world.create()
        await world.rest(900)
        await world.end()
        await world.rest(900)
        await world.end()

    seen = play(world, sit_through)
    # A refusal is told in the status, so that it costs writes; what it is about is the same in the end.
    judged = tuple(oracle for oracle in SAME_END if oracle != "O1")
    (bot,) = seen.left("tweetbots")
    ended = [] if bot["status"]["phase"] == "Succeeded" else [Violation("O1", f"the phase is {bot['status']['phase']}")]
    return ended + judge(seen, learn("succeed").evidence, judged)


#: What a Pod may leave as its message, with its exit code: not what its stage says, or not at all what a trainer says.
MESSAGES: tuple[tuple[int, str], ...] = tuple(
    (code, message)
    for code in (0, 1, 10, 75)
    for message in (
        "",
        "null",
        "[]",
        "{",
        '{"kind": "PrepareSucceeded"}',
        encode(a_train_result()).decode(),
        '{"kind": "StageFailed", "reason": "' + "A" * 4000,
        "\x1b[2J\x00\ud800 <script>alert(1)</script>".encode("utf-8", "replace").decode(),
        "[" * 4000,
        '{"kind": "PrepareSucceeded", "dataset": {"digest": "' + "0" * 64 + '", "table": {"kept": 1e999}}}',
    )
)


def play_message(code: int, message: str) -> list[Violation]:
    """A preparation's Pod says this: no false success, no crash, a status that people can read, and rest."""

    async def say(world: World) -> None:
        await world.create()
        await world.end(message, code=code)
        await world.rest(3600)

    world = World()
    seen = play(world, say)
    violations = judge(seen, learn("succeed").evidence, ("O4", "O5", "O6", "O7", "O9", "O10"))
    text = str([bot.get("status") for bot in seen.left("tweetbots")])
    if "\x1b" in text or "\x00" in text or CANARY in text:
        violations.append(Violation("O11", "the status holds what a terminal obeys"))
    return violations
