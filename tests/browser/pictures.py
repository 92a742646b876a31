"""The docs' pictures of playground and card, with the model that `make demo` made: make browser ARGS=--pictures"""

from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from browser.playground import launch_browser, read_address, start_server

ROOT = Path(__file__).parents[2]
MODEL, PICTURES = ROOT / "build" / "demo" / "model", ROOT / "docs" / "pictures"
#: In CSS pixels: how wide and high the window is.
WINDOWS = {"wide": (1280, 860), "phone": (320, 640)}


def main() -> None:
    """Write a picture of each window in each colour scheme."""
    assert MODEL.is_dir(), "run make demo first: its model is what the pictures show"
    with start_server(MODEL) as server, launch_browser() as browser:
        address = read_address(server)
        for name, size in WINDOWS.items():
            for scheme in ("light", "dark"):
                picture = take_picture(browser, address, size, scheme)
                (PICTURES / f"playground-{name}-{scheme}.png").write_bytes(shrink(picture))
        (PICTURES / "card.png").write_bytes(shrink(take_card(browser, address)))


def take_picture(browser: Browser, address: str, size: tuple[int, int], scheme: Literal["light", "dark"]) -> bytes:
    """Write five posts and return what the page shows then, as PNG."""
    with browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Seed").fill("42")
        page.get_by_role("button", name="Write posts").click()
        page.get_by_role("button", name="Download picture").wait_for()
        page.get_by_role("heading", level=1).click()
        picture: bytes = page.screenshot(full_page=True)
        return picture


def take_card(browser: Browser, address: str) -> bytes:
    """Return the beginning of the model's card as PNG."""
    with browser.new_context(viewport={"width": 1280, "height": 1180}, color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{address}/#about")
        page.wait_for_load_state("networkidle")
        picture: bytes = page.screenshot()
        return picture


def shrink(png: bytes) -> bytes:
    """Return a picture with as few colours as it needs."""
    file = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main()
