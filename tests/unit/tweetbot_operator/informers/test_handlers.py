"""Events that change nothing for a decision ask for no pass, but are cached."""

from dataclasses import replace

import pytest

from builders.operator import NOON, a_bot_in, a_job, a_pod
from tweetbot_operator.informers.cache import Cache, EventHandler, Item
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.types.objects import CachedTweetBot, JobView, PodView

JOB = a_job(a_bot_in("Prepare"))
POD = a_pod(JOB)


class Handled:
    """An event handler whose cache and queue can be looked at."""

    def __init__(self, *known: Item) -> None:
        self.cache, self.queue = Cache(), WorkQueue(lambda: 0.0)
        self.event_handler = EventHandler(self.cache, self.queue)
        for item in known:
            self.event_handler.put(item)
        while taken := self.queue.pop_ready():
            self.queue.done(taken[0])


@pytest.mark.parametrize("item", [JOB, POD])
def test_a_newer_version_that_says_the_same_asks_for_no_pass(item: JobView | PodView) -> None:
    handled = Handled(item)
    assert handled.event_handler.put(replace(item, resource_version="99"))
    assert len(handled.queue) == 0


def test_its_version_is_kept_for_what_is_fenced_by_it() -> None:
    handled = Handled(JOB)
    handled.event_handler.put(replace(JOB, resource_version="99"))
    (kept,) = handled.cache.jobs.list_by_index(JOB.index_key)
    assert kept.resource_version == "99"


@pytest.mark.parametrize("news", [replace(JOB, resource_version="99", deleted_at=NOON), replace(POD, uid="another")])
def test_what_a_decision_reads_asks_for_a_pass(news: JobView | PodView) -> None:
    handled = Handled(JOB, POD)
    handled.event_handler.put(news)
    assert handled.queue.pop_ready() == ((JOB.namespace, JOB.bot), 0.0)


def test_every_newer_version_of_a_tweetbot_asks_for_a_pass() -> None:
    handled = Handled(CachedTweetBot("team-a", "gull", "uid-gull", "1", b'{"spec": 1}'))
    handled.event_handler.put(CachedTweetBot("team-a", "gull", "uid-gull", "2", b'{"spec": 2}'))
    assert len(handled.queue) == 1
