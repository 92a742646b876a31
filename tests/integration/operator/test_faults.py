"""A sample of `make faults` on the real API server: kills, lost answers and refusals at writes, by its oracles."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_faults.live.lab import ORACLES, Bench, judge_play
from tweetbot_faults.live.points import Place
from tweetbot_faults.live.proxy import Rule
from tweetbot_faults.oracles import judge

PLACES = (
    Place("succeed", 0, "kill-before"),
    Place("succeed", 1, "kill-after"),
    Place("succeed", 2, "409"),
    Place("succeed", 3, "kill-before"),
    Place("succeed", 4, "reset-after"),
    Place("succeed", 5, "kill-after"),
    Place("erase", 0, "half-json"),
    Place("erase", 8, "kill-after"),
)
SCRIPTS = sorted({place.script for place in PLACES})


@pytest.fixture(scope="module")
def found(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Play each place by an operator of its own; answers what the oracles found, by the place's id."""
    bench = Bench(home, tmp_path_factory.mktemp("faults"))
    with ThreadPoolExecutor(4) as pool:
        undisturbed = pool.map(lambda script: bench.play_alone(script, Rule())[1], SCRIPTS)
        played = pool.map(lambda place: bench.play_alone(place.script, Rule(place.at, place.fault)), PLACES)
        references = dict(zip(SCRIPTS, undisturbed, strict=True))
        found = {
            place.id: [str(each) for each in judge_play(rule, seen, references[place.script])]
            for place, (rule, seen) in zip(PLACES, played, strict=True)
        }
    return found | {name: [str(each) for each in judge(seen, seen, ORACLES)] for name, seen in references.items()}


@pytest.mark.parametrize("name", [*SCRIPTS, *(place.id for place in PLACES)])
def test_a_fault_at_a_write_leads_to_the_same_end(found: dict[str, list[str]], name: str) -> None:
    assert found[name] == []
