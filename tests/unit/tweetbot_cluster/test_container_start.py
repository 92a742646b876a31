"""How a container's process is started."""

import pytest

from tweetbot_cluster.node.pod.container_start import threads_of


@pytest.mark.parametrize(("limit", "threads"), [("1", "1"), ("500m", "1"), ("1500m", "2"), ("4", "4")])
def test_a_cpu_limit_bounds_the_threads(limit: str, threads: str) -> None:
    assert threads_of({"resources": {"limits": {"cpu": limit}}}) == {"OMP_NUM_THREADS": threads}


def test_without_a_limit_libraries_decide() -> None:
    assert threads_of({}) == {}
