"""The cache: the newest form of each object, whichever way it came."""

from dataclasses import replace

from builders.operator import NOON, a_bot_in, a_job
from tweetbot_operator.informers.cache import Cache, Indexer
from tweetbot_operator.types.objects import CachedTweetBot, JobView

JOB = a_job(a_bot_in("Prepare"))


def a_stored_bot(uid: str, version: str) -> CachedTweetBot:
    return CachedTweetBot("team-a", "gull", uid, version, b"{}")


def test_newer_replaces_older() -> None:
    indexer: Indexer[JobView] = Indexer()
    assert indexer.put(JOB)
    assert indexer.put(replace(JOB, resource_version="11", deleted_at=NOON))
    assert indexer.list_by_index(JOB.index_key)[0].deleting


def test_older_never_replaces_newer() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.put(replace(JOB, resource_version="11"))
    assert not indexer.put(replace(JOB, resource_version="9"))
    assert indexer.list_by_index(JOB.index_key)[0].resource_version == "11"


def test_the_same_version_is_no_news() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.put(JOB)
    assert not indexer.put(JOB)


def test_what_was_deleted_does_not_come_back_with_a_late_answer() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.put(JOB)
    assert indexer.delete(JOB.uid) == JOB
    assert not indexer.put(replace(JOB, resource_version="99"))
    assert indexer.list_by_index(JOB.index_key) == ()


def test_what_lost_its_label_and_has_it_again_is_shown_again_by_a_watch_alone() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.put(JOB)
    indexer.delete(JOB.uid, 12)
    assert not indexer.put(replace(JOB, resource_version="12"), shown=True)
    assert not indexer.put(replace(JOB, resource_version="13"))  # read by its name, it may have no label yet
    assert indexer.put(replace(JOB, resource_version="13"), shown=True)
    assert indexer.put(replace(JOB, resource_version="14"))


def test_tombstones_are_forgotten_in_the_end() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.delete(JOB.uid)
    for number in range(5000):
        indexer.delete(str(number))
    assert indexer.put(JOB)


def test_objects_are_found_by_their_group() -> None:
    indexer: Indexer[JobView] = Indexer()
    other = replace(JOB, uid="other", owner_uid="somebody")
    indexer.put(JOB)
    indexer.put(other)
    assert (indexer.list_by_index(JOB.index_key), indexer.list_by_index(other.index_key), len(indexer)) == (
        (JOB,),
        (other,),
        2,
    )


def test_an_object_that_changes_its_group_is_found_in_the_new_one_only() -> None:
    indexer: Indexer[JobView] = Indexer()
    indexer.put(JOB)
    orphan = replace(JOB, owner_uid="", resource_version="11")
    indexer.put(orphan)
    assert (indexer.list_by_index(JOB.index_key), indexer.list_by_index(orphan.index_key)) == ((), (orphan,))


def test_a_bot_that_was_created_again_is_the_one_found() -> None:
    cache = Cache()
    cache.bots.put(a_stored_bot("old", "5"))
    cache.bots.put(a_stored_bot("new", "12"))
    found = cache.get_bot(("team-a", "gull"))
    assert found is not None
    assert found.uid == "new"


def test_versions_are_compared_as_numbers() -> None:
    indexer: Indexer[CachedTweetBot] = Indexer()
    indexer.put(a_stored_bot("one", "9"))
    assert indexer.put(a_stored_bot("one", "10"))


def test_a_bot_that_nobody_knows_is_none() -> None:
    assert Cache().get_bot(("team-a", "gull")) is None
