"""One event enters few files: who follows it reads them in an evening."""

from trace_event import trace_new_tweetbot


def test_a_new_tweetbot_enters_at_most_thirty_files() -> None:
    entered = trace_new_tweetbot().functions
    assert len(entered) <= 30, sorted(entered)
