"""The page on a phone, by keyboard, with a dark scheme and with less motion."""
from __future__ import annotations

import pytest
from playwright.sync_api import Page

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SETS = ["moons", "drawn", "digits"]
WIDER = """() => [...document.querySelectorAll("body *")].filter((each) => {
    const { right, left, width } = each.getBoundingClientRect();
    return width > 0 && !each.closest("pre, .diagram, .hidden") && (right > innerWidth + 0.5 || left < -0.5);
}).map((each) => `${each.localName}#${each.id}.${each.className}`)"""


def choose(page: Page, name: str) -> None:
    page.check(f"input[name=set][value={name}]")
    page.wait_for_function("name => document.querySelector('#file-name').textContent === `${name}.safetensors`", arg=name)


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_wider_than_a_phone(open_page, name: str) -> None:
    page = open_page(**PHONE)
    choose(page, name)
    page.select_option("#activation", "formula")
    page.click("summary")
    assert page.evaluate("document.scrollingElement.scrollWidth") == 360
    assert page.evaluate(WIDER) == []


@pytest.mark.parametrize("name", SETS)
def test_every_control_is_reached_by_tab(page: Page, name: str) -> None:
    choose(page, name)
    page.select_option("#activation", "formula")
    page.evaluate("document.activeElement.blur()")
    # A group of radio buttons is one stop: the chosen one.
    wanted = page.evaluate("""() => {
        const all = [...document.querySelectorAll("a[href], button:not(:disabled), input:not(:disabled), select, summary, [tabindex='0']")];
        const seen = all.filter((each) => each.checkVisibility() && (each.type !== "radio" || each.checked));
        seen.forEach((each, i) => { each.dataset.stop = i; });
        return seen.length;
    }""")
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        stop = page.evaluate("document.activeElement.dataset.stop ?? null")
        if stop is not None:
            reached.add(int(stop))
            # The browser shows the focus, by an outline of the element or of what stands for it.
            assert page.evaluate("""() => [document.activeElement, ...document.activeElement.parentElement.querySelectorAll(":scope > *"),
                document.activeElement.closest(".surface")].some((each) => each && getComputedStyle(each).outlineStyle !== "none")""")
    missed = [i for i in range(wanted) if i not in reached]
    assert [page.evaluate("i => document.querySelector(`[data-stop='${i}']`).outerHTML", i) for i in missed] == []


@pytest.mark.parametrize("name", SETS)
def test_every_control_has_a_name_and_every_picture_a_text(page: Page, name: str) -> None:
    choose(page, name)
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select, textarea")]
        .filter((each) => ![each, ...(each.labels ?? [])].some((named) => named.textContent.trim()) && !each.getAttribute("aria-label"))
        .map((each) => each.outerHTML)""")
    assert nameless == []
    silent = page.evaluate("""() => [...document.querySelectorAll("canvas")]
        .filter((each) => !each.getAttribute("aria-label") && each.getAttribute("aria-hidden") !== "true" && !each.closest("[aria-label]"))
        .map((each) => each.outerHTML)""")
    assert silent == []
    broken = page.evaluate("""() => [...document.querySelectorAll("[aria-describedby], [aria-labelledby]")]
        .flatMap((each) => `${each.getAttribute("aria-describedby") ?? ""} ${each.getAttribute("aria-labelledby") ?? ""}`.trim().split(/ +/))
        .filter((id) => !document.getElementById(id))""")
    assert broken == []


def test_each_control_of_the_training_names_a_section_of_the_notes(page: Page) -> None:
    links = page.locator(".section").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    assert {"#introduction", "#two-layers", "#three-layers", "#deeper", "#minibatch", "#batchnorm"} == set(links)
    for link in set(links):
        assert page.locator(f"article{link}").count() == 1


def test_a_dark_scheme_has_light_text_on_dark_paper(open_page) -> None:
    def light(colour: str) -> float:
        return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 3

    for scheme, dark in (("light", False), ("dark", True)):
        page = open_page(color_scheme=scheme)
        paper, ink = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
        assert (light(paper) < light(ink)) == dark
        middle = page.evaluate("""() => { const canvas = document.querySelector("#image");
            return [...canvas.getContext("2d").getImageData(0, 0, 48, 48).data].reduce((a, b) => a + b) / 48 / 48 / 4; }""")
        assert (middle < 150) == dark


def test_the_colours_follow_a_change_of_the_scheme(page: Page) -> None:
    before = page.evaluate("document.querySelector('#image').toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("before => document.querySelector('#image').toDataURL() !== before", arg=before)


def test_with_less_motion_the_pictures_change_at_most_twice_a_second(open_page) -> None:
    page = open_page(reduced_motion="reduce")
    pictures, seconds = page.evaluate("""() => new Promise((resolve) => {
        const start = performance.now(), epochs = new Set();
        new MutationObserver(() => {
            epochs.add(document.querySelector("#epoch").textContent);
            if (epochs.size === 4) resolve([epochs.size, (performance.now() - start) / 1000]);
        }).observe(document.querySelector("#epoch"), { childList: true });
        document.querySelector("#train").click();
    })""")
    assert pictures <= seconds / 0.5 + 1


def test_text_has_the_contrast_of_wcag_aa(open_page) -> None:
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        names = ("--ink", "--faint", "--primary", "--error", "--paper", "--panel", "--on-primary")
        values = page.evaluate("""names => names.map((name) =>
            getComputedStyle(document.documentElement).getPropertyValue(name).trim())""", list(names))
        colours = dict(zip(names, values))

        def luminance(colour: str) -> float:
            parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
            linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        def contrast(a: str, b: str) -> float:
            low, high = sorted([luminance(colours[a]), luminance(colours[b])])
            return (high + 0.05) / (low + 0.05)

        for text in ("--ink", "--faint", "--primary", "--error"):
            for background in ("--paper", "--panel"):
                assert contrast(text, background) >= 4.5, (scheme, text, background)
        assert contrast("--on-primary", "--primary") >= 4.5
