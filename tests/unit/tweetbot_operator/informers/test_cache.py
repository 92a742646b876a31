"""The cache: the newest form of each object, whichever way it came."""

from dataclasses import replace

from builders.operator import a_bot_in, a_job
from tweetbot_operator.informers.cache import Cache, Shelf
from tweetbot_operator.types.objects import JobView, StoredBot

JOB = a_job(a_bot_in("Prepare"))


def a_stored_bot(uid: str, version: str) -> StoredBot:
    return StoredBot("team-a", "gull", uid, version, b"{}")


def test_newer_replaces_older() -> None:
    shelf: Shelf[JobView] = Shelf()
    assert shelf.put(JOB)
    assert shelf.put(replace(JOB, resource_version="11", deleting=True))
    assert shelf.group(JOB.group)[0].deleting


def test_older_never_replaces_newer() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.put(replace(JOB, resource_version="11"))
    assert not shelf.put(replace(JOB, resource_version="9"))
    assert shelf.group(JOB.group)[0].resource_version == "11"


def test_the_same_version_is_no_news() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.put(JOB)
    assert not shelf.put(JOB)


def test_what_was_deleted_does_not_come_back_with_a_late_answer() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.put(JOB)
    assert shelf.bury(JOB.uid) == JOB
    assert not shelf.put(replace(JOB, resource_version="99"))
    assert shelf.group(JOB.group) == ()


def test_what_lost_its_label_and_has_it_again_is_shown_again_by_a_watch_alone() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.put(JOB)
    shelf.bury(JOB.uid, 12)
    assert not shelf.put(replace(JOB, resource_version="12"), shown=True)
    assert not shelf.put(replace(JOB, resource_version="13"))  # read by its name, it may have no label yet
    assert shelf.put(replace(JOB, resource_version="13"), shown=True)
    assert shelf.put(replace(JOB, resource_version="14"))


def test_graves_are_forgotten_in_the_end() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.bury(JOB.uid)
    for number in range(5000):
        shelf.bury(str(number))
    assert shelf.put(JOB)


def test_objects_are_found_by_their_group() -> None:
    shelf: Shelf[JobView] = Shelf()
    other = replace(JOB, uid="other", owner="somebody")
    shelf.put(JOB)
    shelf.put(other)
    assert (shelf.group(JOB.group), shelf.group(other.group), len(shelf)) == ((JOB,), (other,), 2)


def test_an_object_that_changes_its_group_is_found_in_the_new_one_only() -> None:
    shelf: Shelf[JobView] = Shelf()
    shelf.put(JOB)
    orphan = replace(JOB, owner="", resource_version="11")
    shelf.put(orphan)
    assert (shelf.group(JOB.group), shelf.group(orphan.group)) == ((), (orphan,))


def test_a_bot_made_anew_under_its_name_is_the_one_found() -> None:
    cache = Cache()
    cache.bots.put(a_stored_bot("old", "5"))
    cache.bots.put(a_stored_bot("new", "12"))
    found = cache.bot(("team-a", "gull"))
    assert found is not None
    assert found.uid == "new"


def test_versions_are_compared_as_numbers() -> None:
    shelf: Shelf[StoredBot] = Shelf()
    shelf.put(a_stored_bot("one", "9"))
    assert shelf.put(a_stored_bot("one", "10"))


def test_a_bot_that_nobody_knows_is_none() -> None:
    assert Cache().bot(("team-a", "gull")) is None
