"""Build the screenshots of the server's page in docs/pictures, in Chromium, with the models that ship.

python scripts/build_screenshots.py
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

TEXT = "Two dogs are playing in the snow. A woman is reading a book on a bench.\n\n- Where is the station?\n- I know."
GERMAN = "Zwei Hunde spielen im Schnee. Eine Frau liest ein Buch.\n\nIch weiß nicht, wo der Bahnhof ist."


def point(page: Any) -> None:
    """Point at a word."""
    page.hover("#target .word >> nth=1")


def alternatives(page: Any) -> None:
    """Show other translations of a sentence."""
    page.click("#target .sentence >> nth=1")
    page.wait_for_selector("#panel li button")
    page.hover("#target .word >> nth=9")


def attention(page: Any) -> None:
    """Show the attention of a sentence."""
    page.click("#target .sentence >> nth=2")
    page.click("#attention")
    page.hover("#target .word >> nth=-3")


class Picture(NamedTuple):
    """A screenshot."""

    name: str
    text: str
    direction: tuple[str, str]
    options: dict[str, Any]  # of the browser's window
    act: Callable[[Any], None]  # is done before it is taken


PHONE = {"viewport": {"width": 390, "height": 600}, "is_mobile": True, "has_touch": True}
PICTURES_OF = (
    Picture("page", TEXT, ("auto", "de"), {"viewport": {"width": 1100, "height": 680}}, alternatives),
    Picture("page-phone", TEXT, ("en", "de"), PHONE, point),
    Picture(
        "page-dark",
        GERMAN,
        ("de", "en"),
        {"viewport": {"width": 1100, "height": 1000}, "color_scheme": "dark"},
        attention,
    ),
)


@contextmanager
def server() -> Iterator[str]:
    """The address of a server with the models that ship."""
    command = [sys.executable, "-m", "seq2seq", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


def take(browser: Any, url: str, picture: Picture, folder: Path) -> None:
    """Take a screenshot."""
    context = browser.new_context(locale="en-GB", reduced_motion="reduce", **picture.options)
    page = context.new_page()
    source, target = picture.direction
    page.goto(f"{url}/#{urlencode({'source': source, 'target': target, 'text': picture.text})}")
    page.wait_for_selector("#target[aria-busy=false] .sentence")
    picture.act(page)
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"{picture.name}.png")
    context.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Build the screenshots; returns the exit status. An argument is a folder to write to, instead of docs/pictures."""
    from playwright.sync_api import sync_playwright

    folder = Path(*(sys.argv[1:] if argv is None else argv) or [PICTURES])
    with server() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        for picture in PICTURES_OF:
            take(browser, url, picture, folder)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
