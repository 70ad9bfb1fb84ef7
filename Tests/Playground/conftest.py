"""The page in headless Chromium, served from BUILD/playground. Every test also fails for an error in the console of the browser, and
for a request to any address outside of the folder."""
from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

WAIT = 120_000  # milliseconds: not a claim about speed
expect.set_options(timeout=WAIT)
BUILD = Path(os.environ["BUILD"])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="session")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(BUILD / "playground")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        # Without the sandbox, because root cannot use it. The pages are ours.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str):
    """Opens the page; arguments are those of a browser context, such as color_scheme="dark"."""
    problems: list[str] = []
    contexts = []

    def open_(**settings) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1360, "height": 900}, **settings})
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((address, "blob:", "data:")) else problems.append(request.url))
        page.goto(address)
        ready(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(open_page) -> Page:
    return open_page()


def ready(page: Page) -> None:
    """Waits until the network of the controls is shown."""
    page.wait_for_function("document.querySelector('#epoch').textContent.startsWith('0') && document.querySelector('.unit')")
    page.wait_for_function("document.querySelector('#score').textContent !== '–'")
