"""The cache: the newest form of each object, whichever way it came."""

from dataclasses import replace

from builders.operator import a_bot_in, a_job
from tweetbot_operator.informers.cache import Cache, Indexer
from tweetbot_operator.types.objects import CachedTweetBot, JobView

JOB = a_job(a_bot_in("Prepare"))


def a_stored_bot(uid: str, version: str) -> CachedTweetBot:
    return CachedTweetBot("team-a", "gull", uid, version, b"{}")


def test_newer_replaces_older() -> None:
    shelf: Indexer[JobView] = Indexer()
    assert shelf.put(JOB)
    assert shelf.put(replace(JOB, resource_version="11", deleting=True))
    assert shelf.list_by_index(JOB.index_key)[0].deleting


def test_older_never_replaces_newer() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.put(replace(JOB, resource_version="11"))
    assert not shelf.put(replace(JOB, resource_version="9"))
    assert shelf.list_by_index(JOB.index_key)[0].resource_version == "11"


def test_the_same_version_is_no_news() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.put(JOB)
    assert not shelf.put(JOB)


def test_what_was_deleted_does_not_come_back_with_a_late_answer() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.put(JOB)
    assert shelf.delete(JOB.uid) == JOB
    assert not shelf.put(replace(JOB, resource_version="99"))
    assert shelf.list_by_index(JOB.index_key) == ()


def test_what_lost_its_label_and_has_it_again_is_shown_again_by_a_watch_alone() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.put(JOB)
    shelf.delete(JOB.uid, 12)
    assert not shelf.put(replace(JOB, resource_version="12"), shown=True)
    assert not shelf.put(replace(JOB, resource_version="13"))  # read by its name, it may have no label yet
    assert shelf.put(replace(JOB, resource_version="13"), shown=True)
    assert shelf.put(replace(JOB, resource_version="14"))


def test_graves_are_forgotten_in_the_end() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.delete(JOB.uid)
    for number in range(5000):
        shelf.delete(str(number))
    assert shelf.put(JOB)


def test_objects_are_found_by_their_group() -> None:
    shelf: Indexer[JobView] = Indexer()
    other = replace(JOB, uid="other", owner_uid="somebody")
    shelf.put(JOB)
    shelf.put(other)
    assert (shelf.list_by_index(JOB.index_key), shelf.list_by_index(other.index_key), len(shelf)) == (
        (JOB,),
        (other,),
        2,
    )


def test_an_object_that_changes_its_group_is_found_in_the_new_one_only() -> None:
    shelf: Indexer[JobView] = Indexer()
    shelf.put(JOB)
    orphan = replace(JOB, owner_uid="", resource_version="11")
    shelf.put(orphan)
    assert (shelf.list_by_index(JOB.index_key), shelf.list_by_index(orphan.index_key)) == ((), (orphan,))


def test_a_bot_made_anew_under_its_name_is_the_one_found() -> None:
    cache = Cache()
    cache.bots.put(a_stored_bot("old", "5"))
    cache.bots.put(a_stored_bot("new", "12"))
    found = cache.get_bot(("team-a", "gull"))
    assert found is not None
    assert found.uid == "new"


def test_versions_are_compared_as_numbers() -> None:
    shelf: Indexer[CachedTweetBot] = Indexer()
    shelf.put(a_stored_bot("one", "9"))
    assert shelf.put(a_stored_bot("one", "10"))


def test_a_bot_that_nobody_knows_is_none() -> None:
    assert Cache().get_bot(("team-a", "gull")) is None
