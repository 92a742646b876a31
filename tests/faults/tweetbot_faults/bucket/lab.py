"""The laboratory on a real S3 server: publications, each below a prefix of its own, and oracles on the bucket."""

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_faults.bucket.proxy import Rule, S3Proxy
from tweetbot_faults.bucket.publisher import Attempt, Place, Trainer, a_finished_folder, a_run
from tweetbot_faults.bucket.reader import Reader
from tweetbot_faults.point import Violation

BUCKET = "faults"
#: Training keys of the first and the second run.
KEYS = ("a" * 64, "b" * 64)
#: Attempts that a run has beside the one that is struck.
_ATTEMPTS = 3


@dataclass
class Lab:
    """One S3 server. Every play has a prefix, a proxy and a reader of its own."""

    home: EmbeddedCluster
    folder: Path
    client: Any
    numbers: "itertools.count[int]"

    def place(self, endpoint: str) -> Place:
        return Place(endpoint, self.home.s3_access_key, self.home.s3_secret_key, BUCKET)

    def learn(self, *, second: bool = False) -> Rule:
        """Publish without a fault; answers the requests that this takes."""
        with S3Proxy(self.home.s3_endpoint) as proxy:
            prefix, place = f"p{next(self.numbers)}", self.place(proxy.endpoint)
            for number in range(1 + second):
                proxy.rule = Rule()
                self._train(prefix, place, number, proxy.rule).wait()
            return proxy.rule

    def play(self, rule: Rule, *, second: bool = False) -> list[Violation]:
        """Publish with a fault, then again as the next Pod does; a second run has a published model before it."""
        with S3Proxy(self.home.s3_endpoint) as proxy:
            prefix, place = f"p{next(self.numbers)}", self.place(proxy.endpoint)
            with Reader(self.client, BUCKET, prefix) as reader:
                if second:
                    self._train(prefix, place, 0, proxy.rule).wait()
                proxy.rule = rule
                code = self._train(prefix, place, int(second), rule).wait()
                codes = [code, *self._try_again(prefix, place, int(second), proxy, code)]
            reader.verify_again()
        if not rule.struck:
            return [Violation("harness", f"request {rule.at} never came, of {len(rule.trace)}")]
        return [*judge_reader(reader), *self.judge(prefix, 1 + second), *judge_codes(codes)]

    def play_race(self, at: int) -> list[Violation]:
        """Let another Pod of the same run publish as a whole while the first is held at a request."""
        with S3Proxy(self.home.s3_endpoint) as proxy, S3Proxy(self.home.s3_endpoint) as other:
            prefix, place = f"p{next(self.numbers)}", self.place(proxy.endpoint)
            rival = Attempt(a_run(prefix, place), self._finish(200), KEYS[0])

            def let_other_go_first() -> None:
                Trainer(rival, self.place(other.endpoint)).start().wait()

            proxy.rule = rule = Rule(at, "hold")
            with Reader(self.client, BUCKET, prefix) as reader:
                codes = [self._train(prefix, place, 0, rule, hold=let_other_go_first).wait()]
                codes += self._try_again(prefix, place, 0, proxy, codes[0])
            reader.verify_again()
        if not rule.struck:
            return [Violation("harness", f"request {rule.at} never came, of {len(rule.trace)}")]
        return [*judge_reader(reader), *self.judge(prefix, 1), *judge_codes(codes)]

    def _try_again(self, prefix: str, place: Place, number: int, proxy: S3Proxy, code: int) -> list[int]:
        codes: list[int] = []
        while code != 0 and len(codes) < _ATTEMPTS:
            proxy.rule = Rule()
            code = self._train(prefix, place, number, proxy.rule).wait()
            codes.append(code)
        return codes

    def _train(
        self, prefix: str, place: Place, number: int, rule: Rule, hold: Callable[[], None] | None = None
    ) -> Trainer:
        folder = self._finish(next(self.numbers))
        trainer = Trainer(Attempt(a_run(prefix, place, 1 + number), folder, KEYS[number]), place)
        rule.hit = hold or trainer.kill
        return trainer.start()

    def _finish(self, seed: int) -> Path:
        folder = self.folder / str(seed % 8)
        return folder if folder.exists() else a_finished_folder(folder, seed=seed)

    def judge(self, prefix: str, versions: int) -> list[Violation]:
        """O8: one version per run, the pointer at the newest, nothing half written."""
        listed = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", ())
        keys = {entry["Key"].removeprefix(f"{prefix}/team-a/gull/") for entry in listed}
        found = {key.split("/")[1] for key in keys if key.startswith("models/")}
        violations = []
        if found != {key[:16] for key in KEYS[:versions]}:
            violations.append(Violation("O8", f"versions {sorted(found)}"))
        if stray := [name for name in found if f"models/{name}/MANIFEST.json" not in keys]:
            violations.append(Violation("O8", f"without a manifest: {stray}"))
        latest = json.loads(
            self.client.get_object(Bucket=BUCKET, Key=f"{prefix}/team-a/gull/latest.json")["Body"].read()
        )
        if latest["runNumber"] != versions:
            violations.append(Violation("O8", f"latest.json is of run {latest['runNumber']}"))
        return violations


def judge_reader(reader: Reader) -> list[Violation]:
    """O7 and O8 by the reader: never a broken model, never an older run after a newer one."""
    violations = [Violation("O7", words) for words in reader.broken[:3]]
    if reader.runs != sorted(reader.runs):
        violations.append(Violation("O8", f"latest.json went back: runs {reader.runs}"))
    if not reader.looks:
        violations.append(Violation("harness", "nobody looked"))
    return violations


def judge_codes(codes: list[int]) -> list[Violation]:
    """O7: each attempt that did not publish says that it may be tried again; in the end one succeeds."""
    odd = [code for code in codes if code not in (0, 75, -9)]
    violations = [Violation("O7", f"exit codes {codes}")] if odd else []
    return violations + ([] if codes[-1] == 0 else [Violation("O7", f"never published: exit codes {codes}")])


@contextmanager
def open_lab() -> Iterator[Lab]:
    """Start the S3 server in a folder of its own, and end it."""
    with (
        tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as place,
        EmbeddedCluster(Path(place) / "home", parts=("versitygw",)) as home,
    ):
        client: Any = home.s3()
        client.create_bucket(Bucket=BUCKET)
        yield Lab(home, Path(place), client, itertools.count(1))
