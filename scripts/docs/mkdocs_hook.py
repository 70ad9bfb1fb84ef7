"""A hook of MkDocs (mkdocs.yml), which makes a site of pages that are plain Markdown.

- The C reference is made from include/backprop.h.
- The navigation gets the playground, a page of HTML.
- A link to a file of the repository outside of docs/ leads to a page that shows this file.
- Successive headings of the fourth level that are languages, such as "#### Python", become tabs.
- A name of the C interface in code, such as `bp_network_create`, becomes a link to the reference.
"""
from __future__ import annotations  # for Python 3.9

import os
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Link, Navigation
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import reference  # noqa: E402
from header import Header  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
COPIES = "repository/"  # the folder of pages that show files outside of docs/
TABS = {"C", "C++", "Python", "Rust", "Shell", "Swift"}
LANGUAGES = {".c": "c", ".h": "c", ".in": "text", ".py": "python", ".rs": "rust", ".sh": "bash", ".swift": "swift", ".csv": "text"}
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")

header = Header(ROOT / "include" / "backprop.h")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replaces "reference/" in the navigation by its pages."""
    pages = [reference.page_name(section) for section in header.sections]
    for group in config.nav or []:
        if isinstance(group, dict):
            for title, value in group.items():
                group[title] = pages if value == reference.FOLDER else value
    return config


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Adds a page that is no Markdown: MkDocs accepts such a link only here."""
    nav.items.insert(3, Link("Playground", "playground/index.html"))
    return nav


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, text in reference.pages(header).items():
        files.append(File.generated(config, name, content=text))
    waiting = [(file.src_uri, file.content_string) for file in files.documentation_pages() if not file.generated_by]
    seen = set()
    while waiting:
        name, text = waiting.pop()
        for path in linked(name, text):
            if path in seen:
                continue
            seen.add(path)
            content = path.read_bytes() if path.suffix == ".png" else shown(path)
            files.append(File.generated(config, copy_of(path), content=content, inclusion=InclusionLevel.NOT_IN_NAV))
            if path.suffix == ".md" or path.is_dir():
                waiting.append((copy_of(path), content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    name = page.file.src_uri
    return tabs(named(relinked(name, markdown), page)) if not name.startswith(reference.FOLDER) else markdown


def place(name: str) -> Path:
    """The folder of the repository against which the links of a page are resolved."""
    if name.startswith(COPIES):
        return (ROOT / name.removeprefix(COPIES)).parent
    return (ROOT / "docs" / name).parent


def target(name: str, link: str) -> Path | None:
    """The file or folder of the repository that a link of a page leads to; None for an address, or a file that does not exist."""
    if ":" in link:
        return None
    path = Path(os.path.normpath(place(name) / link))
    if (path / "README.md").is_file():
        path /= "README.md"
    return path if path.is_relative_to(ROOT) and path.exists() else None


def linked(name: str, text: str):
    """The files outside of docs/ that a page links to."""
    for match in LINK.finditer(without_code(text)):
        path = target(name, match[2])
        if path and not path.is_relative_to(ROOT / "docs"):
            yield path


def copy_of(path: Path) -> str:
    """The name of a page in the site."""
    if path.is_relative_to(ROOT / "docs"):
        return str(path.relative_to(ROOT / "docs"))
    name = COPIES + str(path.relative_to(ROOT))
    if path.is_dir():
        return name + "/index.md"
    return name if path.suffix in (".md", ".png") else name + ".md"


def shown(path: Path) -> str:
    """The page of a file, or of a folder, which lists its files."""
    if path.is_dir():
        files = sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file() and ".build" not in each.parts)
        return f"# {path.relative_to(ROOT)}\n\n" + "".join(f"- [`{each}`]({each})\n" for each in files)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    if path.suffix == ".csv":  # long
        text = "".join(text.splitlines(keepends=True)[:20])
    return f"# {path.relative_to(ROOT)}\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{text}\n````\n"


def relinked(name: str, text: str) -> str:
    def link(match: re.Match) -> str:
        path = target(name, match[2])
        if not path:
            return match[0]
        there = os.path.relpath(copy_of(path), os.path.dirname(name) or ".")
        return match[1] + there + (match[3] or "") + match[4]

    return outside_code(text, lambda part: LINK.sub(link, part))


def named(text: str, page: Page) -> str:
    """Links from names in code to the reference."""
    up = os.path.relpath(".", os.path.dirname(page.file.src_uri) or ".")

    def link(match: re.Match) -> str:
        section = header.section_of.get(match[1].removesuffix("()"))
        if not section:
            return match[0]
        return f"[`{match[1]}`]({os.path.normpath(os.path.join(up, reference.page_name(section)))}#{match[1].removesuffix('()')})"

    # Not within the text of a link.
    return outside_code(text, lambda part: re.sub(r"(?<!\[)`((?:bp|BP)_\w+(?:\(\))?)`(?!\])", link, part), spans=False)


def tabs(text: str) -> str:
    """Makes tabs of headings such as "#### Python". Another heading or a horizontal line ends them."""
    lines: list[str] = []
    inside = False
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        heading = None if fenced else re.match(r"(#+) (.*)", line)
        if heading and len(heading[1]) == 4 and heading[2] in TABS:
            inside = True
            lines += ["", f'=== "{heading[2]}"', ""]
            continue
        if inside and line == "---":
            inside = False
            continue
        inside = inside and not heading
        lines.append("    " + line if inside and line else line)
    return "\n".join(lines)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)


def outside_code(text: str, change, spans: bool = True) -> str:
    """The text with `change` applied outside of blocks of code and, with `spans`, of code within lines."""
    code = r"(^(?:```+|~~~).*?^(?:```+|~~~)$|^ {4,}[^\n]*$" + (r"|`[^`\n]*`" if spans else "") + ")"
    return "".join(part if i % 2 else change(part) for i, part in enumerate(re.split(code, text, flags=re.M | re.S)))

