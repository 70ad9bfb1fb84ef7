"""The JavaScript package with threads in headless Chromium, on the page's thread and in a worker, with and without the headers that
make a page cross-origin isolated."""
from __future__ import annotations

import tarfile
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import BUILD, WAIT, Quiet
from playwright.sync_api import Browser

TRAIN = """
import { Network, load, registerActivation } from "./package/libbackprop.js";
const inputs = Float32Array.from({ length: 6400 }, (_, i) => (i * 7919 % 1024) / 512 - 1), targets = new Float32Array(256).fill(0.25);
function train(activation) {
    const network = new Network([100, 80, 4], { activation, seed: 1 });
    for (let step = 0; step < 20; step++) network.train(inputs, targets, 0.01);
    return network.save().join();
}
export async function compare() {
    const alone = train("tanh"), threads = await load({ threads: 3 });
    registerActivation("half", (z) => z / 2, () => 0.5);
    train("half");
    return { threads, same: train("tanh") === alone };
}
"""
WORKER = """
import { compare } from "./train.js";
compare().then(postMessage, (error) => postMessage({ error: error.message }));
"""
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Threads</title><script type="module">
import { compare } from "./train.js";
const inWorker = new Promise((resolve, reject) => {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
});
window.result = Promise.all([compare(), inWorker]);
</script>"""
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Isolated(Quiet):
    def end_headers(self) -> None:
        for header in ISOLATED.items():
            self.send_header(*header)
        super().end_headers()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("threads")
    (package,) = (BUILD / "wasm").glob("libbackprop-*.tgz")
    with tarfile.open(package) as archive:
        archive.extractall(folder)
    for name, text in {"train.js": TRAIN, "worker.js": WORKER, "index.html": PAGE}.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("handler, threads", [(Isolated, 3), (Quiet, 1)], ids=["isolated", "not isolated"])
def test_pages_and_workers_train_with_the_same_bits(browser: Browser, folder: Path, handler, threads: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    problems: list[str] = []
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.result !== undefined")
        assert page.evaluate("window.result") == [{"threads": threads, "same": True}] * 2
    finally:
        context.close()
        server.shutdown()
    assert problems == []
