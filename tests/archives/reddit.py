"""What Reddit sends when it is asked for one's data: tables, of which two hold the posts and comments."""

import csv
import io
from typing import Any

from archives.writing import Members

POSTS = ("id", "permalink", "date", "ip", "subreddit", "gildings", "title", "url", "body")
COMMENTS = ("id", "permalink", "date", "ip", "subreddit", "gildings", "link", "parent", "body", "media")
ADDRESS = "192.0.2.7"
SITE = "https://www.reddit.com"
PRIVATE = (
    "messages", "messages_archive", "chat_history", "drafts", "ip_logs", "post_votes", "comment_votes", "saved_posts",
    "linked_phone_number", "birthdate", "account_gender", "checkfile",
)  # fmt: skip


def render_table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    """Render a table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def make_post(number: int, title: str, body: str = "", **cells: str) -> dict[str, str]:
    """Make a row of posts.csv; `number` gives its id and its day."""
    link = f"{SITE}/r/harbour/comments/post{number}/a_title/"
    return {
        "id": f"post{number}", "permalink": link, "date": f"2024-03-{number:02} 12:30:10 UTC", "ip": ADDRESS,
        "subreddit": "harbour", "gildings": "0", "title": title, "url": link, "body": body,
    } | cells  # fmt: skip


def make_comment(number: int, body: str, **cells: str) -> dict[str, str]:
    """Make a row of comments.csv; `number` gives its id and its day."""
    link = f"{SITE}/r/harbour/comments/other1/a_title/"
    return {
        "id": f"comment{number}", "permalink": f"{link}comment{number}/", "date": f"2024-04-{number:02} 12:30:10 UTC",
        "ip": ADDRESS, "subreddit": "harbour", "gildings": "0", "link": link, "parent": "", "body": body, "media": "",
    } | cells  # fmt: skip


def render_statistics(name: str = "harbour_gull") -> bytes:
    """Render statistics.csv, which holds more than a reader may use."""
    rows = [
        {"statistic": "account name", "value": name},
        {"statistic": "export time", "value": "2026-11-01 06:57:14 UTC"},
        {"statistic": "email address", "value": "gull@harbour.example"},
    ]
    return render_table(("statistic", "value"), rows)


def make_tables(posts: list[dict[str, str]], comments: list[dict[str, str]]) -> Members:
    """Make the tables of posts and comments, with those that list them again without their texts."""
    return {
        "posts.csv": render_table(POSTS, posts),
        "post_headers.csv": render_table((*POSTS[:6], "url"), posts),
        "comments.csv": render_table(COMMENTS, comments),
        "comment_headers.csv": render_table(COMMENTS[:8], comments),
    }


def make_export() -> Members:
    """Make an export: a title, a long post, a repost, removed posts, comments that quote, answer and link."""
    posts = [
        make_post(1, "The ferry is late & nobody knows"),
        make_post(
            2,
            "Low tide",
            "Soup, with [the usual crabs](https://harbour.example/crabs).\r\n\r\n> said a sign\r\n\r\nNo soup.",
        ),
        make_post(3, "Somebody else's headline", url=f"{SITE}/r/ferries/comments/other9/somebody/"),
        make_post(4, "A photo of a gull", url="https://i.redd.it/gull.jpg"),
        make_post(5, "Gone", "[removed]"),
    ]
    comments = [
        make_comment(1, "> the tide never comes\n\nIt does. Ask u/very-small_crab."),
        make_comment(2, "&gt; quoted\n\nHe said:\n\n>!he did it!<", parent="t1_other2"),
        make_comment(3, "To myself", parent="t1_comment1"),
        make_comment(4, "Below my own post", link=f"{SITE}/r/harbour/comments/post2/a_title/"),
        make_comment(5, "[deleted]"),
        make_comment(6, "&#x200B;\n\n![gif](giphy|a1b2|downsized)"),
        make_comment(1, "> the tide never comes\n\nIt does. Ask u/very-small_crab."),
    ]
    secret = render_table(("id", "secret"), [{"id": "1", "secret": "nobody may read this"}])
    return {
        **make_tables(posts, comments),
        "statistics.csv": render_statistics(),
        **{f"{name}.csv": secret for name in PRIVATE},
    }
