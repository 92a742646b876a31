"""Lists of posts' ids in the forms that people have them in."""

import pytest

from tweetbot_contract.spec.id_lists import parse_id_list

ARCHIVE = 'window.YTD.deleted_tweets.part0 = [ {"tweet": {"id_str": "7"}}, {"tweet": {"id_str": "8"}} ]'


@pytest.mark.parametrize(
    "content", ["7\n\n 8 \n", '{"id": "7", "action": "delete"}\r\n8', '\ufeff{"id": 7}\n{"id": "8"}', ARCHIVE]
)
def test_ids_are_read_from_lines_compliance_jobs_and_archives(content: str) -> None:
    assert parse_id_list(content.encode(), "ids") == {"7", "8"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n", "ids names no post"),
        (b"\xff", "ids is not UTF-8"),
        (b'7\n{"tweet": "8"}', "ids, line 2: write an id, or a JSON object with id"),
        (b'window.YTD.like.part0 = [{"like": {}}]', "no list of posts of an X archive"),
        (b"window.YTD.tweets.part0 = [", "no list of posts of an X archive"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_place(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_id_list(content, "ids")
