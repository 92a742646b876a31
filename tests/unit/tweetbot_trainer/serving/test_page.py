"""The page without JavaScript, cards, and what surrounds every answer."""

import shutil
from html import unescape
from pathlib import Path

import pytest

from builders.model import some_card_data
from builders.serving.client import Client, a_served_model, a_server
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.serving.card_html import render_card_html
from tweetbot_trainer.serving.drafting.served import About, describe_model, name_apart

TOKEN = "0123456789abcdef"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def carded(folder: Path, tmp_path: Path) -> Path:
    """A model with its card, a picture, and files that are not shown."""
    mine = shutil.copytree(folder, tmp_path / "model")
    (mine / "README.md").write_text(render_card(some_card_data()))
    (mine / "predictions.png").write_bytes(b"png")
    return mine


async def test_the_form_works_without_javascript(client: Client) -> None:
    body = b"prompt=My+dream+is&count=2&seed=1&temperature=&model=gull"
    answer = await client.ask("POST", "/", body, headers={"content-type": "application/x-www-form-urlencoded"})
    posts = (await client.post("/api/posts", {"prompt": "My dream is", "count": 2, "seed": 1})).json()["posts"]
    assert answer.status == 200
    assert all(post["text"] in unescape(answer.text) for post in posts)
    assert answer.text.count("AI-generated") >= 3


async def test_the_page_shows_what_is_wrong_with_a_form(client: Client) -> None:
    for body, status in ((b"count=99", 400), (b"model=other", 404), (b"prompt=" + b"a" * 300, 400)):
        answer = await client.ask("POST", "/", body, headers={})
        assert (answer.status, 'role="alert"' in answer.text) == (status, True)


async def test_nothing_in_the_page_is_taken_for_html(folder: Path) -> None:
    client = Client(a_server(a_served_model(folder, HOSTILE, version=HOSTILE, base=HOSTILE)))
    form = f"prompt={HOSTILE}&count={HOSTILE}&seed={HOSTILE}".encode()
    for answer in (await client.get("/"), await client.ask("POST", "/", form, headers={})):
        assert "<script>" not in answer.text
        assert "&lt;script&gt;" in answer.text


async def test_no_answer_lets_anything_else_in(client: Client) -> None:
    for path in ("/", "/docs", "/api/models", "/nothing", "/assets/page.js", "/healthz"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize("path", ["/", "/docs", "/assets/page.css", "/assets/page.js"])
async def test_pages_name_no_other_server(client: Client, path: str) -> None:
    text = (await client.get(path)).text
    assert [word for word in ("https://", "http://", "url(//", "@import") if word in text] == []


async def test_the_description_of_the_api_names_every_route(client: Client) -> None:
    document = (await client.get("/openapi.json")).json()
    page = (await client.get("/docs")).text
    routes = {route.path for route in client.app.routes} - {"/", "/assets/{file}", "/docs", "/openapi.json"}  # type: ignore[attr-defined]
    assert set(document["paths"]) == routes
    assert all(path in page for path in routes)


async def test_a_page_that_is_not_there_says_so_in_the_same_form(client: Client) -> None:
    missing, wrong = await client.get("/nothing"), await client.get("/api/posts")
    assert (missing.status, wrong.status) == (404, 405)
    assert missing.json()["error"]["type"] == "not_found_error"


async def test_the_token_opens_the_page_once_and_the_cookie_from_then_on(folder: Path) -> None:
    client = Client(a_server(a_served_model(folder), token=TOKEN, host="0.0.0.0"))
    asked = await client.get("/", accept="text/html")
    assert (asked.status, 'name="token"' in asked.text) == (401, True)
    assert (await client.get("/api/models")).json()["error"]["type"] == "authentication_error"
    opened = await client.get(f"/docs?token={TOKEN}")
    assert (opened.status, 'content="0; url=/docs"' in opened.text, TOKEN in opened.text) == (200, True, False)
    cookie = opened.headers["set-cookie"]
    assert ("HttpOnly" in cookie, "SameSite=strict" in cookie, TOKEN in cookie) == (True, True, False)
    assert (await client.get("/", cookie=cookie.split(";")[0])).status == 200
    assert (await client.get("/api/models", authorization=f"Bearer {TOKEN}")).status == 200


async def test_a_card_is_shown_with_its_own_pictures_alone(carded: Path) -> None:
    client = Client(a_server(a_served_model(carded)))
    (listed,) = (await client.get("/api/models")).json()
    assert listed["pictures"] == ["/models/gull/files/predictions.png"]
    card, raw = await client.get(listed["card"]), await client.get("/models/gull/card.md")
    assert '<img src="/models/gull/files/predictions.png"' in card.text
    assert "<details>\n<summary>The data, the training, and all figures</summary>" in card.text
    assert "ai_generated" not in card.text
    assert raw.text == (carded / "README.md").read_text()
    assert (await client.get(listed["pictures"][0])).body == b"png"


@pytest.mark.parametrize(
    "name", ["model.safetensors", "README.md", "..%2f..%2fetc%2fpasswd", "../config.json", "%2e%2e/x.png", ""]
)
async def test_no_other_file_is_given_away(carded: Path, name: str) -> None:
    (carded.parent / "x.png").write_bytes(b"beside")
    client = Client(a_server(a_served_model(carded)))
    assert (await client.get(f"/models/gull/files/{name}")).status == 404


async def test_a_model_without_a_card_has_none(client: Client) -> None:
    assert (await client.get("/api/models")).json()[0]["card"] is None
    assert [(await client.get(f"/models/gull/{name}")).status for name in ("card", "card.md")] == [404, 404]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)> text",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "![a](https://elsewhere.example/a.png)",
        "<details onclick=alert(1)>\n<summary><b onclick=x>a</b></summary>",
        '[a](https://x.example/"onmouseover="alert(1))',
        "<iframe src=//x></iframe>",
    ],
)
def test_a_foreign_card_can_do_nothing(text: str) -> None:
    html = render_card_html("gull", f"# Title\n\n{text}\n")
    for word in (
        "<script",
        "<img src=x",
        "<iframe",
        "<b ",
        "<details o",
        'href="javascript',
        'href="data',
        'src="http',
    ):
        assert word not in html
    assert ' onmouseover="' not in html


def test_what_a_card_and_a_folder_say_of_a_model(carded: Path, tmp_path: Path) -> None:
    about = describe_model(carded, None)
    assert (about.name, about.handle, about.person) == (
        "demo-quickstart-0123456789abcdef",
        "harbour_gull",
        "Harbour Gull",
    )
    assert about.disclosure == "AI-generated imitation of @harbour_gull. A machine wrote this, not the person."
    (tmp_path / "plain").mkdir()
    plain = describe_model(tmp_path / "plain", None)
    assert (plain.name, plain.disclosure) == ("plain", "AI-generated. A machine wrote this, not a person.")


@pytest.mark.parametrize(
    "front", ["", "---\n- a\n---\n", "---\nmodel-index: [{name: [1]}]\n---\n", "---\n[\n---\n", "\xff"]
)
def test_a_card_in_another_form_says_nothing(tmp_path: Path, front: str) -> None:
    (tmp_path / "README.md").write_text(front, encoding="latin-1")
    assert describe_model(tmp_path, None).handle == ""


def test_versions_of_one_name_are_told_apart() -> None:
    names = [about.name for about in name_apart(About(name) for name in ("a b", "a-b", "a-b-2", "..", "a b"))]
    assert len(set(names)) == 5
    assert names[:2] == ["a-b", "a-b-2"]
