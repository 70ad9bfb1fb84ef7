"""Checks the pages of a built site: check_site.py FOLDER

Every link within the site leads to a file, and to an element of it if it has a fragment. Every page is valid for an HTML parser that follows
the standard (html5lib), and no identifier occurs twice.
"""
import re
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib

# What Material for MkDocs writes: its icons have attributes that browsers ignore.
ACCEPTED: set[str] = set()


class PageReader:
    def __init__(self, path: Path) -> None:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        tree = parser.parse(path.read_bytes(), transport_encoding="utf-8")
        self.errors = [f"line {place[0]}: {code} {data}" for place, code, data in parser.errors if code not in ACCEPTED]
        elements = [each for each in tree.iter() if isinstance(each.tag, str)]
        self.ids = Counter(each.get("id") for each in elements if each.get("id"))
        self.links = [each.get(name) for each in elements for name in ("href", "src") if each.get(name)]
        self.images = [each for each in elements if each.tag == "img" and not each.get("alt")]


def main(folder: str) -> int:
    root = Path(folder).resolve()
    pages = {path: PageReader(path) for path in sorted(root.rglob("*.html"))}
    problems = []
    links = 0
    for path, page in pages.items():
        name = path.relative_to(root)
        problems += [f"{name}: {error}" for error in page.errors]
        problems += [f"{name}: the identifier {each} occurs {count} times" for each, count in page.ids.items() if count > 1]
        problems += [f"{name}: an image without a text" for _ in page.images]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or (not parts.path and not parts.fragment):
                continue
            links += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            fragment = unquote(parts.fragment)
            if not target.is_file():
                if name.name != "404.html":  # its links begin at the root of a server
                    problems.append(f"{name}: {link} does not exist")
            elif fragment and target in pages and fragment not in pages[target].ids and not re.match(r"__", fragment):
                problems.append(f"{name}: {link} has no such element")
    print("\n".join(problems[:50]))
    print(f"{len(pages)} pages, {links} links, {len(problems)} problems")
    return 1 if problems or len(pages) < 20 else 0


sys.exit(main(sys.argv[1]))
