"""The playground, as people use it: in a real browser, with the real server and tiny models."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.playground import TOKEN, Open, Playground

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
POSTS = ".post:not(.waiting)"


def write_posts(page: Page, prompt: str = "My dream is", count: int = 5) -> None:
    page.get_by_label("How should the posts begin?").fill(prompt)
    page.get_by_label("How many").fill(str(count))
    page.get_by_role("button", name="Write posts").click()
    for column in page.locator(".column").all():
        expect(column.locator(POSTS)).to_have_count(count)
    expect(page.get_by_role("button", name="Write posts")).to_be_visible()


def answer_with(page: Page, *events: tuple[str, dict[str, Any]]) -> None:
    """Have the browser see these events in place of the server's."""
    body = "".join(f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in events)
    page.route("**/api/posts", lambda route: route.fulfill(content_type="text/event-stream", body=body))


def read_width(page: Page) -> tuple[int, int]:
    """Return the width of what is shown and of the window, in CSS pixels."""
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return int(width), int(window)


# ---- write


def test_a_prompt_gives_five_posts_that_say_what_they_are(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    write_posts(page)
    texts = page.locator(f"{POSTS} .text").all_inner_texts()
    assert [text for text in texts if not text.startswith("My dream is")] == []
    assert len(set(texts)) == 5
    assert page.locator(f"{POSTS} .label").all_inner_texts() == ["AI-generated"] * 5
    expect(page.locator("header .pill")).to_have_text("AI-generated")
    expect(page.get_by_role("status").first).to_contain_text("5 posts in")


def test_posts_come_one_after_the_other(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    page.evaluate(
        """() => { window.counts = []; new MutationObserver(() => window.counts.push(
        document.querySelectorAll(".post:not(.waiting)").length)).observe(
        document.querySelector(".posts"), {childList: true}); }"""
    )
    write_posts(page)
    assert set(page.evaluate("window.counts")) >= {0, 1, 2, 3, 4, 5}


def test_the_click_shows_at_once_that_something_happens(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    seen = page.evaluate(
        """() => { document.querySelector("#start").click();
        return [document.querySelector(".status").textContent, document.querySelectorAll(".waiting").length]; }"""
    )
    assert seen == ["Writing …", 5]


def test_the_same_seed_gives_the_same_posts_and_no_seed_gives_others(playground: Playground, open_page: Open) -> None:
    page, drawn = open_page(playground.one), list[list[str]]()
    for seed in ("7", "7", "", ""):
        page.get_by_label("Seed").fill(seed)
        write_posts(page, count=2)
        drawn.append(page.locator(f"{POSTS} .text").all_inner_texts())
    assert drawn[0] == drawn[1]
    assert drawn[2] != drawn[3]


def test_what_was_thrown_away_is_told_in_one_line(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    posts = [("post", {"index": index, "text": f"My dream is {index}", "label": "AI-generated"}) for index in range(4)]
    dropped = [("dropped", {"reason": reason}) for reason in ("Copy", "TooLong", "Copy")]
    done = {"posts": 4, "copies": 2, "tooLong": 1, "seconds": 0.84}
    answer_with(page, ("queued", {"place": 2}), *posts, *dropped, ("done", done))
    page.get_by_label("Seed").fill("3")
    write_posts(page, count=4)
    told = "4 posts in 0.8 s, seed 3. Thrown away: 2 copies of training posts, 1 draft over 280 characters."
    expect(page.locator(".status")).to_have_text(told)


def test_fewer_posts_than_wanted_are_explained_with_what_to_do(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    answer_with(page, ("done", {"posts": 0, "copies": 0, "tooLong": 0, "seconds": 3.0}))
    page.get_by_role("button", name="Write posts").click()
    expect(page.locator(".status")).to_contain_text("Raise the temperature, or change the beginning.")
    expect(page.get_by_role("button", name="Download picture")).to_be_hidden()


def test_the_place_in_the_queue_is_shown_and_escape_leaves_it(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    answer_with(page, ("queued", {"place": 2}))
    page.evaluate(  # the connection stays open after these bytes
        """() => { const real = window.fetch; window.fetch = async (path, options) => {
        const bytes = new Uint8Array(await (await real(path, options)).arrayBuffer());
        return new Response(new ReadableStream({ start(control) { control.enqueue(bytes);
          options.signal.addEventListener("abort", () => control.error(options.signal.reason)); } })); }; }"""
    )
    page.get_by_role("button", name="Write posts").click()
    expect(page.locator(".status")).to_have_text("Place 3 in the queue …")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".status")).to_have_text("Stopped after 0 posts.")
    expect(page.get_by_role("button", name="Write posts")).to_be_focused()
    expect(page.locator(".waiting")).to_have_count(0)


@pytest.mark.parametrize("status", [200, 429])
def test_an_error_says_what_to_do(playground: Playground, open_page: Open, status: int) -> None:
    page = open_page(playground.one)
    if status == 200:
        answer_with(page, ("error", {"message": "Shorten the prompt."}))
    else:
        body = json.dumps({"message": "Shorten the prompt."})
        page.route("**/api/posts", lambda route: route.fulfill(status=status, body=body))
    page.get_by_role("button", name="Write posts").click()
    expect(page.get_by_role("alert")).to_have_text("Shorten the prompt.")


def test_a_server_that_is_gone_is_told_with_what_to_do(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    page.route("**/api/posts", lambda route: route.abort())
    page.get_by_role("button", name="Write posts").click()
    expect(page.get_by_role("alert")).to_contain_text("Start it again")


# ---- take along


def test_the_picture_is_downloaded(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one)
    write_posts(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download picture").click()
    assert download.value.suggested_filename.endswith(".png")
    assert download.value.path().read_bytes().startswith(b"\x89PNG\r\n")


def test_a_copy_carries_the_label_only_if_asked(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, permissions=["clipboard-read", "clipboard-write"])
    write_posts(page, count=1)
    copy, text = page.get_by_role("button", name="Copy"), page.locator(f"{POSTS} .text").inner_text()
    copy.click()
    expect(page.locator(".copy")).to_have_text("Copied")
    expect(page.locator("#spoken")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_label("Copy with label").check()
    page.locator(".copy").click()
    disclosure = page.locator(".column").get_attribute("data-disclosure")
    page.wait_for_function("async (text) => await navigator.clipboard.readText() !== text", arg=text)
    assert page.evaluate("navigator.clipboard.readText()") == f"{text}\n\n{disclosure}"


def test_without_tls_elsewhere_a_post_is_copied_all_the_same(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("window.board = navigator.clipboard")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    write_posts(page, count=1)
    page.locator(".copy").click()
    expect(page.locator(".copy")).to_have_text("Copied")
    assert page.evaluate("window.board.readText()") == page.locator(f"{POSTS} .text").inner_text()


# ---- everybody


def test_the_keyboard_is_enough(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Write")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="About the model")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="About the model")).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(page.get_by_label("How should the posts begin?")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("My hat")
    page.keyboard.press("Enter")
    expect(page.locator(POSTS)).to_have_count(5)
    while page.evaluate("!document.activeElement.matches('.copy')"):
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".copy").first).to_have_text("Copied")


def test_the_basic_form_works_without_javascript(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, java_script_enabled=False)
    page.get_by_label("How should the posts begin?").fill("My hat <b>")
    page.get_by_label("Seed").fill("5")
    page.get_by_role("button", name="Write posts").click()
    expect(page.locator(POSTS)).to_have_count(5)
    assert all(text.startswith("My hat <b>") for text in page.locator(f"{POSTS} .text").all_inner_texts())
    expect(page.get_by_label("How should the posts begin?")).to_have_value("My hat <b>")
    expect(page.locator(".status")).to_contain_text("5 posts in")
    expect(page.get_by_role("button")).to_have_count(1)  # no button that would do nothing


@pytest.mark.parametrize("prompt", ["חלום", "حلمي هو"])
def test_scripts_from_right_to_left_keep_their_direction(playground: Playground, open_page: Open, prompt: str) -> None:
    page = open_page(playground.one)
    write_posts(page, prompt, count=1)
    for place in ("#prompt", f"{POSTS} .text"):
        assert page.locator(place).evaluate("each => getComputedStyle(each).direction") == "rtl"


@pytest.mark.parametrize("address", ["one", "two"])
def test_a_narrow_phone_never_scrolls_sideways(playground: Playground, open_page: Open, address: str) -> None:
    page = open_page(getattr(playground, address), **PHONE)
    write_posts(page, "W" * 120, count=2)
    written = read_width(page)
    page.get_by_role("tab", name="About the model").click()
    page.wait_for_load_state("networkidle")
    assert (written, read_width(page)) == ((320, 320), (320, 320))


FAINT = """() => {
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    const colour = number(getComputedStyle(element).backgroundColor);
    return colour.length === 3 || colour[3] > 0 ? colour : ground(element.parentElement);
  };
  const written = [...document.body.querySelectorAll("*")].filter((each) => each.checkVisibility() &&
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return written.map((each) => {
    const [dark, bright] = [light(number(getComputedStyle(each).color)), light(ground(each))].sort((a, b) => a - b);
    return [each.textContent.trim().slice(0, 30), (bright + 0.05) / (dark + 0.05)];
  }).filter(([, contrast]) => contrast < 4.5);
}"""


def find_faint_text(page: Page) -> list[object]:
    """Return the texts whose contrast is too low, once the page has its styles.

    A form's answer can be read before its stylesheet has come.
    """
    page.wait_for_load_state("load")
    return list(page.evaluate(FAINT))


def test_dark_and_light_differ_and_all_text_stands_out(playground: Playground, open_page: Open) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page = open_page(playground.two, color_scheme=scheme, reduced_motion="reduce")
        write_posts(page, count=1)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert find_faint_text(page) == []
        page.get_by_role("tab", name="About the models").click()
        assert find_faint_text(page) == []
    assert len(grounds) == 2


def test_nothing_moves_for_those_who_asked_for_that(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, reduced_motion="reduce")
    write_posts(page, count=1)
    assert page.locator(POSTS).evaluate("each => getComputedStyle(each).animationName") == "none"


# ---- models


def test_models_stand_side_by_side_and_on_a_phone_below_each_other(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.two)
    write_posts(page, count=2)
    first, second = (column.bounding_box() for column in page.locator(".column").all())
    assert first
    assert second
    assert (first["y"], first["x"] < second["x"]) == (second["y"], True)
    page.set_viewport_size({"width": 320, "height": 640})
    first, second = (column.bounding_box() for column in page.locator(".column").all())
    assert first
    assert second
    assert (first["x"], first["y"] < second["y"]) == (second["x"], True)


def test_a_model_that_is_not_ticked_writes_nothing(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.two)
    page.get_by_role("checkbox", name="harbour-gull-2").uncheck()
    page.get_by_role("button", name="Write posts").click()
    expect(page.locator(".column").first.locator(POSTS)).to_have_count(5)
    expect(page.locator(".column").last.locator(POSTS)).to_have_count(0)


def test_card_and_figures_stand_on_the_second_tab(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.two)
    about = page.get_by_role("tabpanel", name="About the models")
    expect(about).to_be_hidden()
    page.get_by_role("tab", name="About the models").click()
    expect(page.get_by_role("tabpanel", name="Write")).to_be_hidden()
    expect(about.get_by_role("heading", name="How it was made, and how well it does")).to_have_count(2)
    expect(about.get_by_role("cell", name="0.6934").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    shown = "images => images.filter(each => each.checkVisibility()).map(each => each.naturalWidth > 0)"
    assert set(about.locator("img").evaluate_all(shown)) == {True}
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_an_address_can_name_the_second_tab(playground: Playground, open_page: Open) -> None:
    page = open_page(f"{playground.one}/#about", viewport={"width": 1280, "height": 300})
    expect(page.get_by_role("tab", name="About the model")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name="What it writes")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("header .pill")).to_be_in_viewport()


def test_a_card_alone_can_be_read_too(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.one, **PHONE, java_script_enabled=False)
    page.get_by_role("link", name="Its card, with the figures").click()
    expect(page.get_by_role("heading", name="What it writes")).to_be_visible()
    expect(page.get_by_role("link", name="Write posts")).to_be_visible()


def test_a_server_with_a_token_asks_for_it_and_remembers(playground: Playground, open_page: Open) -> None:
    page = open_page(playground.closed)
    page.get_by_label("This server asks for its token").fill("another")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That is another token.")
    assert find_faint_text(page) == []
    page.get_by_label("This server asks for its token").fill(TOKEN)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Write posts")).to_be_visible()
    page.goto(playground.closed)
    write_posts(page, count=1)
