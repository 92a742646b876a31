"""Plays in which a server of the control plane is killed, or the resource itself goes, while a TweetBot is at work."""

from collections.abc import Callable, Iterator

from tweetbot_cluster import seed
from tweetbot_faults.evidence import Evidence
from tweetbot_faults.live.lab import ORACLES, Bench
from tweetbot_faults.live.proxy import Rule
from tweetbot_faults.live.scripts import User, succeed
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import Point, Violation

#: Who goes, at which row of the matrix, and when: before the TweetBot is applied, or while its trainer runs.
SERVERS = {"etcd": 41, "kube-apiserver": 41, "kube-controller-manager": 43, "kube-scheduler": 43}
CRD_ROW = 45
CRD = "tweetbots.tweetbot.dev"


def plan_away(bench: Bench, references: dict[str, Evidence]) -> Iterator[Point]:
    """Yield a point per server and moment, and two for the resource; each needs the cluster for itself."""

    def play(script: Callable[[User], None], reference: str) -> Callable[[], list[Violation]]:
        def play_script() -> list[Violation]:
            _, seen = bench.play_alone(script, Rule())
            # A server that was away may cost a few requests, and the number of times that a status is worded.
            return judge(seen, references[reference], tuple(name for name in ORACLES if name != "O13"))

        return play_script

    for server, row in SERVERS.items():
        for moment in ("before", "during"):
            script = _take_away(bench, server, during=moment == "during")
            yield Point(f"live/away/{server}/{moment}", row, "live", play(script, "succeed"))
    yield Point("live/away/crd", CRD_ROW, "live", lambda: play_lost_crd(bench))


def _take_away(bench: Bench, server: str, *, during: bool) -> Callable[[User], None]:
    def script(user: User) -> None:
        if during:
            user.apply("well")
            user.until(lambda: bool(user.jobs()))
        bench.home.kill(server)
        bench.home.start(server)
        succeed(user)

    return script


def play_lost_crd(bench: Bench) -> list[Violation]:
    """O3, O12: the resource is deleted with all its objects, comes back, and a new TweetBot runs to its end."""

    def script(user: User) -> None:
        succeed(user)
        bench.home.kubectl("delete", "crd", CRD, "--timeout=60s")
        seed.install_custom_resource(bench.home.kubectl, bench.home.api)
        user.until(user.is_gone)
        succeed(user)

    _, seen = bench.play_alone(script, Rule())
    return judge(seen, Evidence(), ("O3", "O4", "O5", "O12"))
