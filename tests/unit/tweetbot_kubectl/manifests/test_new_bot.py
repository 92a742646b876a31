import pytest

from tweetbot_contract.manifest import parse
from tweetbot_kubectl.manifests.new_bot import (
    FILE_KINDS,
    KINDS,
    BadAnswer,
    NewBot,
    XTerms,
    build_new_bot,
    check_count,
    compute_x_price,
    read_source,
    suggest_name,
)

FULL = XTerms(token_secret="x-app/bearer-token", max_posts=800, accepted=True)


def a_new_bot(*sources: str, **answers: object) -> NewBot:
    given = {"name": "gull", "handle": "harbour_gull", "relation": "Self", "output": "s3://team-a/models", **answers}
    return NewBot(sources=tuple(map(read_source, sources)), **given)  # type: ignore[arg-type]


def test_every_kind_of_the_contract_can_be_named() -> None:
    assert set(KINDS) == {"archive", "posts", "x", "bluesky", "mastodon", "threads", "instagram", "reddit"}


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_an_export_makes_a_manifest_that_validates(kind: str) -> None:
    manifest = build_new_bot(a_new_bot(f"{kind}:s3://team-a/export.zip", secret="s3"))
    bot = parse(manifest)
    assert (bot.name, bot.spec.subject.relation) == ("gull", "Self")
    assert bot.spec.output.s3.credentials_secret is not None
    assert manifest["spec"]["sources"] == [{kind: {"uri": "s3://team-a/export.zip"}}]


def test_what_is_not_answered_is_not_written() -> None:
    assert set(build_new_bot(a_new_bot("archive:s3://team-a/a.zip"))["spec"]) == {"subject", "sources", "output"}


def test_a_file_of_posts_has_the_format_of_its_ending() -> None:
    assert build_new_bot(a_new_bot("posts:s3://team-a/posts.csv"))["spec"]["sources"] == [
        {"posts": {"uri": "s3://team-a/posts.csv", "format": "csv"}}
    ]


def test_a_bluesky_account_and_its_repository_are_told_apart() -> None:
    made = build_new_bot(a_new_bot("bluesky:@alice.bsky.social", "bluesky:s3://team-a/alice.car"))
    assert made["spec"]["sources"] == [
        {"bluesky": {"actor": "alice.bsky.social"}},
        {"bluesky": {"car": "s3://team-a/alice.car"}},
    ]


def test_the_x_api_gets_a_limit_on_spending_that_covers_the_posts() -> None:
    x = build_new_bot(a_new_bot("x:@gull", x=FULL))["spec"]["sources"][0]["x"]
    assert (x["maxPosts"], x["maxSpendUSD"], x["handle"]) == (800, 5, "gull")
    assert compute_x_price(3200) == 16.01


def test_the_x_api_needs_a_token_and_the_statement_about_its_terms() -> None:
    with pytest.raises(BadAnswer, match="bearer token"):
        build_new_bot(a_new_bot("x:gull"))
    with pytest.raises(BadAnswer, match="acceptTerms"):
        build_new_bot(a_new_bot("x:gull", x=XTerms(token_secret="x/key", max_posts=800)))


def test_a_class_may_say_where_the_model_goes() -> None:
    made = build_new_bot(a_new_bot("archive:s3://team-a/a.zip", output="", class_name="standard"))
    assert "output" not in made["spec"]
    with pytest.raises(BadAnswer, match="write where the model goes"):
        build_new_bot(a_new_bot("archive:s3://team-a/a.zip", output=""))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"handle": "@gull"}, "without @"),
        ({"output": "team-a/models"}, "write s3://bucket"),
        ({"output": "file:///models"}, "write s3://bucket"),
        ({"name": "Gull"}, "lower-case letters"),
        ({"base": "gpt2"}, "write the base as"),
    ],
)
def test_an_answer_that_the_contract_refuses_is_named(answers: dict[str, object], words: str) -> None:
    with pytest.raises(BadAnswer, match=words):
        build_new_bot(a_new_bot("archive:s3://team-a/a.zip", **answers))


@pytest.mark.parametrize(
    "text", ["gull", "archive:", "archive:gull.zip", "archive:file:///gull.zip", "tweets:s3://a/b"]
)
def test_what_is_no_source_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadAnswer, match=r"KIND:ADDRESS|s3://bucket/key"):
        read_source(text)


def test_a_name_is_suggested_by_the_handle() -> None:
    assert suggest_name("Harbour_Gull.42") == "harbour-gull-42"
    assert suggest_name("___") == "bot"
    assert len(suggest_name("a" * 60)) == 46


@pytest.mark.parametrize("text", ["0", "3201", "many", "-1", ""])
def test_a_number_of_posts_that_x_does_not_serve_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer, match="from 1 to 3200"):
        check_count(text)
