"""The page trains, shows the training, and saves it."""
from __future__ import annotations

import ctypes
import json
import math
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, ready
from playwright.sync_api import Page, expect

LIBRARY = BUILD / "libbackprop.so"
ROOT = Path(__file__).resolve().parent.parent.parent


def choose(page: Page, name: str) -> None:
    """Chooses a data set."""
    page.check(f"input[name=set][value={name}]")
    page.wait_for_function("name => document.querySelector('#file-name').textContent === `${name}.safetensors`", arg=name)
    ready(page)


def set_(page: Page, **values) -> None:
    """Sets controls by their names."""
    for name, value in values.items():
        control = page.locator(f"#settings [name={name}]")
        if isinstance(value, bool):
            control.set_checked(value)
        elif control.evaluate("each => each.localName") == "select":
            control.select_option(value)
        else:
            control.fill(str(value))
            control.blur()
    ready(page)


def accuracy(page: Page) -> float:
    return float(page.inner_text("#score").removesuffix(" %"))


def train_until(page: Page, condition: str) -> None:
    """Trains until a condition in JavaScript holds, and pauses."""
    page.click("#train")
    page.wait_for_function(condition)
    if page.inner_text("#train") == "Pause":
        page.click("#train")


def image(page: Page, selector: str) -> str:
    return page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)


def saved(page: Page) -> bytes:
    with page.expect_download() as download:
        page.click("#save")
    return Path(download.value.path()).read_bytes()


def predict_in_page(page: Page, file: bytes, inputs: list[float]) -> list[float]:
    return page.evaluate("""async ([file, inputs]) => {
        const { Network } = await import("./library/libbackprop.js");
        return Array.from(Network.load(Uint8Array.from(file)).predict(inputs));
    }""", [list(file), inputs])


def predict_in_c(file: bytes, inputs: list[float], columns: int, outputs: int) -> list[float]:
    """The outputs of libbackprop.so, in a process that computes with the instruction set of WebAssembly."""
    program = """if True:
        import ctypes, json, sys
        library, file, inputs, columns, outputs = json.load(sys.stdin)
        c, network = ctypes.CDLL(library), ctypes.c_void_p()
        assert c.bp_network_load_memory(bytes(file), ctypes.c_size_t(len(file)), ctypes.byref(network)) == 0
        rows = len(inputs) // columns
        out = (ctypes.c_float * (rows * outputs))()
        assert c.bp_network_predict(network, (ctypes.c_float * len(inputs))(*inputs), ctypes.c_size_t(rows), out) == 0
        print(json.dumps(list(out)))"""
    result = subprocess.run(["python3", "-c", program], input=json.dumps([str(LIBRARY), list(file), inputs, columns, outputs]),
                            env={**os.environ, "BACKPROP_INSTRUCTION_SET": "baseline"}, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def run_c(source: str, folder: Path) -> list[float]:
    """What the program that the page shows prints."""
    (folder / "model.c").write_text(source)
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT / "include"), "model.c", "-o", "model", "-L", str(BUILD),
                    f"-Wl,-rpath,{BUILD}", "-lbackprop", "-lm"], cwd=folder, check=True)
    printed = subprocess.run(["./model"], cwd=folder, env={**os.environ, "BACKPROP_INSTRUCTION_SET": "baseline"}, capture_output=True,
                             text=True, check=True)
    return [float(line) for line in printed.stdout.split()]


def as_float(x: float) -> float:
    return ctypes.c_float(x).value


def test_xor_is_learned_and_the_pictures_change(page: Page) -> None:
    choose(page, "xor")
    set_(page, noise="0")
    parts = ["#image", "#line", "#curves", "#histograms", ".pictures", ".links"]
    before = [image(page, part) for part in parts]
    train_until(page, "document.querySelector('#score').textContent === '100.0 %'")
    assert accuracy(page) == 100
    assert int(page.inner_text("#epoch").replace(",", "")) > 0
    assert all(image(page, part) != old for part, old in zip(parts, before))


def test_the_seed_determines_the_training(page: Page) -> None:
    files = []
    for _ in range(2):
        page.click("#again")
        ready(page)
        for epoch in range(1, 4):
            page.click("#step")
            expect(page.locator("#epoch")).to_have_text(str(epoch))
        files.append(saved(page))
    assert files[0] == files[1]
    set_(page, seed=2)
    page.click("#step")
    expect(page.locator("#epoch")).to_have_text("1")
    assert saved(page) != files[0]


def test_start_again_goes_back_to_epoch_0(page: Page) -> None:
    train_until(page, "Number(document.querySelector('#epoch').textContent) > 3")
    page.click("#again")
    ready(page)
    assert page.inner_text("#epoch") == "0"


def test_a_formula_is_an_activation(page: Page, tmp_path: Path) -> None:
    choose(page, "circles")
    set_(page, activation="formula")
    set_(page, formula="exp(-z^2)")
    expect(page.locator("#formula-error")).to_be_empty()
    train_until(page, "parseFloat(document.querySelector('#score').textContent) >= 95")
    file = saved(page)
    (tmp_path / "circles.safetensors").write_bytes(file)
    page.click("summary")
    (output,) = run_c(page.inner_text("#program"), tmp_path)
    # The worker has its own registrations.
    expected = page.evaluate("""async (file) => {
        const { Network, registerActivation } = await import("./library/libbackprop.js");
        registerActivation("formula", (z) => Math.exp(-z * z));
        return Network.load(Uint8Array.from(file)).predict([0.5, -0.25])[0];
    }""", list(file))
    assert output == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("formula, message", [
    ("exp(z", 'missing at the end'),
    ("foo(z)", 'Unknown name'),
    ("1 / z", "Infinity at z = 0"),
    ("", "missing at the end"),
])
def test_a_wrong_formula_shows_its_error(page: Page, formula: str, message: str) -> None:
    set_(page, activation="formula")
    field = page.locator("#formula")
    field.fill(formula)
    expect(page.locator("#formula-error")).to_contain_text(message)
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("tanh(z)")
    field.blur()
    expect(page.locator("#formula-error")).to_be_empty()
    expect(field).to_have_attribute("aria-invalid", "false")
    train_until(page, "Number(document.querySelector('#epoch').textContent) > 0")


def test_a_training_that_diverges_says_so_and_starts_again(page: Page) -> None:
    choose(page, "plane")
    set_(page, activation="identity", optimizer="sgd")
    page.locator("#rate").fill("2")
    page.click("#train")
    expect(page.locator("#status")).to_contain_text("The training stopped:")
    expect(page.locator("#train")).to_have_text("Train")
    page.locator("#rate").fill("-4")
    page.click("#again")
    ready(page)
    expect(page.locator("#status")).to_be_empty()
    train_until(page, "Number(document.querySelector('#epoch').textContent) > 5")


def test_digits_are_learned_and_a_drawn_one_is_read(page: Page) -> None:
    choose(page, "digits")
    train_until(page, "parseFloat(document.querySelector('#score').textContent) >= 95")
    assert accuracy(page) >= 90
    page.click("#clear-pad")
    expect(page.locator("#reading")).to_have_text("–")
    box = page.locator("#pad").bounding_box()
    points = [(0.5 + 0.24 * math.sin(a), 0.5 - 0.38 * math.cos(a)) for a in [2 * math.pi * i / 40 for i in range(41)]]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()
    expect(page.locator("#reading")).to_have_text("0") # an ellipse
    shares = [int(text.removesuffix(" %")) for text in page.locator("#probabilities span:last-child").all_inner_texts()]
    assert len(shares) == 10 and abs(sum(shares) - 100) <= 5
    page.click("#example")
    expect(page.locator("#reading")).to_have_text(re.compile(r"^\d$"))


def test_a_digit_is_drawn_by_keyboard(page: Page) -> None:
    choose(page, "digits")
    page.click("#clear-pad")
    page.focus("#pad")
    for key in ["ArrowUp"] * 12 + ["Space"] + ["ArrowDown"] * 24 + ["Space"] + ["ArrowRight"] * 3:
        page.keyboard.press(key)
    expect(page.locator("#reading")).to_have_text(re.compile(r"^\d$"))
    page.keyboard.press("Delete")
    expect(page.locator("#reading")).to_have_text("–")


@pytest.mark.parametrize("name, columns, outputs", [("moons", 2, 1), ("plane", 2, 1), ("digits", 64, 10)])
def test_the_saved_file_opens_in_c_with_the_same_predictions(page: Page, tmp_path: Path, name: str, columns: int, outputs: int) -> None:
    choose(page, name)
    set_(page, batchnorm=True)
    train_until(page, "Number(document.querySelector('#epoch').textContent) > 3")
    file = saved(page)
    inputs = [as_float(0.37 * math.sin(i)) for i in range(6 * columns)]
    in_page = predict_in_page(page, file, inputs)
    assert len(in_page) == 6 * outputs
    assert predict_in_c(file, inputs, columns, outputs) == in_page # bit for bit

    (tmp_path / f"{name}.safetensors").write_bytes(file)
    page.click("summary")
    source = page.inner_text("#program")
    numbers = re.search(r"input\[\d+\] = \{(.*?)\}", source, re.S)[1]
    row = [as_float(float(number.strip().rstrip("f"))) for number in numbers.split(",") if number.strip()]
    assert run_c(source, tmp_path) == pytest.approx(predict_in_page(page, file, row), rel=1e-8)


def test_the_file_has_the_settings_of_the_controls(page: Page) -> None:
    set_(page, activation="relu", optimizer="adamw", loss="squared_error", batchnorm=True)
    page.click("[aria-label='Add a hidden layer']")
    page.locator("[aria-label='Units of hidden layer 3']").fill("5")
    page.keyboard.press("Tab")
    ready(page)
    page.wait_for_function("document.querySelectorAll('.layer').length === 5")
    file = saved(page)
    (size,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8:8 + size])
    shapes = {key: value["shape"] for key, value in header.items() if key.endswith("weight") and "norm" not in key}
    assert [shapes[f"layers.{i}.weight"] for i in range(1, 5)] == [[8, 2], [4, 8], [5, 4], [1, 5]]
    assert "layers.3.norm.running_var" in header
    for word in ("relu", "logistic", "adamw", "squared_error"):
        assert word in json.dumps(header["__metadata__"])


def test_restarts_keep_the_network_with_the_lowest_loss(page: Page) -> None:
    choose(page, "xor")
    page.click("[aria-label='Remove a hidden layer']")
    page.locator("[aria-label='Units of hidden layer 1']").fill("2")
    set_(page, activation="logistic", restarts=3, epochs=60)
    page.click("#train")
    expect(page.locator("#status")).to_contain_text("Finished. Run")
    assert re.fullmatch(r"Finished\. Run [1-4] of 4 had the lowest loss\.", page.inner_text("#status"))
    assert page.inner_text("#epoch").startswith("60")
    page.click("#train") # begins again
    page.wait_for_function("document.querySelector('#train').textContent === 'Pause'")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus", "lbfgs"])
def test_each_optimizer_lowers_the_loss(page: Page, optimizer: str) -> None:
    set_(page, optimizer=optimizer, batch="0" if optimizer == "irprop_minus" else "16")
    train_until(page, "Number(document.querySelector('#epoch').textContent) >= 1")
    first = float(page.inner_text("#loss"))
    train_until(page, "Number(document.querySelector('#epoch').textContent) >= 40")
    assert float(page.inner_text("#loss")) < first


def test_points_drawn_by_pointer_and_by_keyboard_are_learned(page: Page) -> None:
    choose_drawn = page.locator("input[name=set][value=drawn]")
    choose_drawn.check()
    page.wait_for_function("document.querySelector('#file-name').textContent === 'drawn.safetensors'")
    page.click("#train")
    expect(page.locator("#status")).to_have_text("Draw points on the plane first.")
    box = page.locator("#points").bounding_box()
    for label, x in (("1", 0.25), ("0", 0.75)):
        page.check(f"input[name=brush][value='{label}']")
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        for i in range(1, 30):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + (0.2 + 0.02 * i) * box["height"])
        page.mouse.up()
    page.focus("#points")
    for key in ["ArrowRight"] * 8 + ["Space"]:
        page.keyboard.press(key)
    train_until(page, "document.querySelector('#score').textContent === '100.0 %'")


def test_choosing_a_unit_shows_it_on_the_plane(page: Page) -> None:
    before = image(page, "#image")
    unit = page.locator("[aria-label='Layer 1, unit 3']")
    unit.click()
    expect(unit).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("before => document.querySelector('#image').toDataURL() !== before", arg=before)


def test_the_learning_rate_changes_without_a_new_start(page: Page) -> None:
    page.click("#step")
    expect(page.locator("#epoch")).to_have_text("1")
    page.locator("#rate").fill("0")
    expect(page.locator("#rate-value")).to_have_text("1")
    page.click("#step")
    expect(page.locator("#epoch")).to_have_text("2")


def test_the_data_set_may_change_during_the_training(page: Page) -> None:
    page.click("#train")
    for name in ("digits", "xor", "plane", "digits", "circles"):
        page.check(f"input[name=set][value={name}]")
        page.wait_for_function("""name => document.querySelector('#file-name').textContent === `${name}.safetensors` &&
            parseInt(document.querySelector('#epoch').textContent) > 1""", arg=name)
        expect(page.locator("#status")).to_be_empty()
        expect(page.locator("#train")).to_have_text("Pause")


def test_a_number_out_of_range_is_not_used(page: Page) -> None:
    page.locator("#restarts").fill("99")
    page.locator("#restarts").blur()
    assert page.evaluate("document.querySelector('#restarts').validity.rangeOverflow")
    page.locator("#restarts").fill("1")
    page.locator("#restarts").blur()
    ready(page)
    page.click("#step")
    expect(page.locator("#epoch")).to_have_text("1 · run 1")


def test_the_module_trains_in_a_page_without_a_worker(page: Page) -> None:
    assert page.evaluate("""async () => {
        const { Network } = await import("./library/libbackprop.js"), network = new Network([2, 4, 1], { seed: 1 });
        for (let step = 0; step < 4000; step++) network.train([0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0], 0.5);
        return Array.from(network.predict([0, 0, 0, 1, 1, 0, 1, 1]), Math.round);
    }""") == [0, 1, 1, 0]
