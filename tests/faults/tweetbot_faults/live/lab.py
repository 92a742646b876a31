"""The laboratory on a real API server: one cluster, an operator for all points that it survives, one each to kill."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from harness.operator_process import OperatorProcess, write_trainer
from tweetbot_cluster.cluster import CONTROL_PLANE, EmbeddedCluster
from tweetbot_faults.evidence import Evidence
from tweetbot_faults.live.audit import read_evidence
from tweetbot_faults.live.proxy import Rule, StrikingProxy
from tweetbot_faults.live.scripts import NAME, SCRIPTS, Script, User
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import NeverCame, Violation

#: Finished Jobs go at once, so that their deletions are among the writes.
TIDY = {"TWEETBOT_SUCCESS_TTL_SECONDS": "1", "TWEETBOT_LOG_LEVEL": "INFO"}
#: On a machine that is busy, a Pod that starts late is no event, so that every play makes the same writes.
CALM = {"POD_START_GRACE_SECONDS": 60.0, "STALLED_SECONDS": 120.0}
#: What is judged of each play. O7 and O8 need a bucket, O11 what every place shows.
ORACLES = ("O1", "O2", "O3", "O4", "O5", "O6", "O9", "O12", "O13")
#: Seconds of rest after the end, in which the operator must write nothing.
QUIET = 3.0
#: Plays at a time: they wait for most of their time.
SHARED_LANES, LETHAL_LANES = 12, 4


class Bench:
    """One embedded cluster with everything the points in it share."""

    def __init__(self, home: EmbeddedCluster, folder: Path) -> None:
        self.home, self._folder, self._stack = home, folder, ExitStack()
        self._number = 0

    @cached_property
    def shared(self) -> tuple[StrikingProxy, OperatorProcess]:
        """One operator for the whole cluster, behind one proxy."""
        folder = self.make_folder()
        proxy = self._stack.enter_context(StrikingProxy(self.home.operator_kubeconfig, folder))
        operator = OperatorProcess(proxy.kubeconfig, folder / "operator.log", TIDY, constants=CALM)
        return proxy, self._stack.enter_context(operator)

    def end_shared(self) -> None:
        """End the shared operator, so that others have their namespaces for themselves."""
        self._stack.close()
        vars(self).pop("shared", None)

    def make_folder(self) -> Path:
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        return folder

    def learn(self) -> dict[str, tuple[list[str], Evidence]]:
        """Play every script without a fault; answers its writes and its evidence."""
        assert self.shared  # started here, not by the first of several threads
        with ThreadPoolExecutor(len(SCRIPTS)) as pool:
            played = pool.map(lambda name: self.play_shared(name, Rule()), SCRIPTS)
            return {name: (rule.trace, seen) for name, (rule, seen) in zip(SCRIPTS, played, strict=True)}

    def play_shared(self, script: str, rule: Rule) -> tuple[Rule, Evidence]:
        """Play a script under the shared operator."""
        proxy, operator = self.shared
        user = User(self.home)
        proxy.rules[user.namespace] = rule
        seen = self._play(script, user)
        if not operator.alive:
            seen.process.append("the operator ended")
        return rule, seen

    def play_alone(self, script: str | Script, rule: Rule) -> tuple[Rule, Evidence]:
        """Play a script under an operator of its own, which is started again whenever it is killed."""
        folder = self.make_folder()
        operators: list[OperatorProcess] = []

        def look_after() -> None:
            if not operators[0].alive:
                operators[0].start()

        user = User(self.home, look_after)
        env = {"TWEETBOT_NAMESPACES": user.namespace, "TWEETBOT_LEASE_NAMESPACE": user.namespace, **TIDY}
        with StrikingProxy(self.home.operator_kubeconfig, folder) as proxy:
            operator = OperatorProcess(proxy.kubeconfig, folder / "operator.log", env, constants=CALM)
            operators.append(operator)
            rule.kill = operator.kill
            proxy.rules[user.namespace] = rule
            with operator:
                seen = self._play(script, user)
                seen.process += find_process_faults(operator)
        return rule, seen

    def _play(self, script: str | Script, user: User) -> Evidence:
        reached = True
        try:
            (SCRIPTS[script] if isinstance(script, str) else script)(user)
        except TimeoutError:
            reached = False
        time.sleep(1)  # the audit log is written a moment after the answer
        before = len(list(self._read(user).of_operator()))
        time.sleep(QUIET)
        seen = self._read(user)
        seen.reached, seen.late_writes = reached, len(list(seen.of_operator())) - before
        seen.wishes["team-a", NAME] = user.wish
        user.close()
        return seen

    def _read(self, user: User) -> Evidence:
        return read_evidence(self.home.audit_log, self.home.api, user.namespace)


def find_process_faults(operator: OperatorProcess) -> list[str]:
    """O12: whether it lives, is healthy, and has met no bug of its own."""
    faults = [] if operator.alive and operator.answer("/healthz") == 200 else ["it is not healthy"]
    log = operator.log.read_text(errors="replace")
    return faults + [f"the log says: {words}" for words in ("failed by a bug", "bug in the") if words in log]


def judge_play(rule: Rule, seen: Evidence, reference: Evidence) -> list[Violation]:
    """Judge one play. Raises NeverCame if the fault never struck: how often a status is reworded differs."""
    if not rule.struck:
        raise NeverCame
    return judge(seen, reference, ORACLES)


@contextmanager
def open_bench() -> Iterator[Bench]:
    """Start the cluster in a folder of its own, and end it."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        images = {"tweetbot-trainer*": write_trainer(folder / "trainer")}
        with EmbeddedCluster(folder / "home", parts=(*CONTROL_PLANE, "node"), images=images) as home:
            home.seed()
            bench = Bench(home, folder)
            try:
                yield bench
            finally:
                bench.end_shared()
