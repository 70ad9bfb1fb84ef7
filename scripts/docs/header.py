"""Reads include/backprop.h, the one source of the C reference: its sections, declarations and comments.

The form of the comments, which parse() relies on:

    a line indented by 2      begins a paragraph; a short one without an end is a heading
    "  - "                    an item of a list
    lines indented by 4       text whose columns are kept; a table, if its first line begins with "name  "
    "Label.    text"          a term, in the first 11 columns, and its definition
    "  name: ..."             a parameter, or several ("inputs, targets: ..."); all parameters follow each other
    Ownership: ... Since:     the four last lines
"""
from __future__ import annotations  # for Python 3.9, which `make` may find

import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

WIDTH = 120  # lines are wrapped before this column
ENDS = ("Ownership", "Errors", "Threads", "Since")
TERM = 11  # the column at which definitions begin


@dataclass
class Paragraph:
    text: str


@dataclass
class Heading:
    text: str


@dataclass
class Items:
    texts: list[str]


@dataclass
class Verbatim:
    text: str

    @property
    def is_code(self) -> bool:
        return bool(re.search(r"\w\(.*;|[;{]$", self.text, re.M))


@dataclass
class Table:
    rows: list[list[str]]  # the first row has the names of the columns


@dataclass
class Definitions:
    terms: list[tuple[str, list]]  # a term and its blocks


@dataclass
class Comment:
    blocks: list = field(default_factory=list)
    parameters: list[tuple[list[str], str]] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)  # by the words of ENDS

    @property
    def summary(self) -> str:
        """The first sentence."""
        text = self.blocks[0].text if self.blocks and isinstance(self.blocks[0], Paragraph) else ""
        return re.split(r"(?<=[^.].[.:])\s(?=(?:[A-Z*\"]|bp_))", text)[0].rstrip(".:") + "." if text else ""

    @property
    def title(self) -> str:
        """The first sentence up to a colon or a semicolon, for a line with a name before it."""
        text = re.split(r"[:;]|\. ", re.sub(r" \([^)]*\)", "", self.summary))[0].strip(" .")
        return text if re.match(r"[A-Z]*_|[A-Z]{2}", text) else text[:1].lower() + text[1:]


@dataclass
class Declaration:
    """kind: constant, handle, struct, callback or function. A constant's comment is the one at its line's end."""
    kind: str
    name: str
    code: str
    comment: Comment
    value: str = ""

    def wrapped(self, width: int) -> str:
        """The declaration; that of a function in lines of at most this width."""
        if self.kind not in ("function", "callback"):
            return self.code
        return textwrap.fill(" ".join(self.code.split()), width, subsequent_indent="    ", break_long_words=False)


@dataclass
class Section:
    """One of the parts between the lines "---- Title ----". The first one has the text before them."""
    title: str
    parts: list = field(default_factory=list)  # Comment (without a declaration) or Declaration

    def declarations(self, *kinds: str) -> list[Declaration]:
        return [part for part in self.parts if isinstance(part, Declaration) and part.kind in kinds]


NAME = re.compile(r"`([^`]+)`|(?<!\")\*?\b(?:[a-z]\w*(?:_\w+)+|BP_[A-Z_]+|[A-Z]+(?:_[A-Z]+)*)\b(?:\(\))?|\*[a-z]\w*")


class Header:
    """The sections of the header, and its names."""

    def __init__(self, path: Path) -> None:
        self.sections = read(path)
        self.section_of = {part.name: section for section in self.sections for part in section.parts if isinstance(part, Declaration)}
        version = {part.name: part.value for part in self.sections[0].declarations("constant")}
        self.version = ".".join(version[f"BP_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH"))

    def spans(self, text: str):
        """The text in parts: ("text", words, ""), ("code", a name, "") or ("link", a name, the declaration that it names)."""
        at = 0
        for match in NAME.finditer(text):
            word = match[1] or match[0]
            named = next((name for name in (word.strip("*()"), f"BP_ERROR_{word}") if name in self.section_of), "")
            if not named and not match[1] and "_" not in word and not word.startswith("*"):
                continue
            yield "text", text[at:match.start()], ""
            yield ("link" if named else "code"), word, named
            at = match.end()
        yield "text", text[at:], ""


def paragraphs(lines: list[str], width: int = WIDTH) -> list:
    """Blocks of lines without blank lines among them, which are neither verbatim nor definitions. A line that ends early, after
    a sentence or a heading, ends a paragraph."""
    blocks: list = []
    before = ""
    for line in lines:
        word = line.strip().split(" ")[0]
        if line.startswith("  - "):
            if not (blocks and isinstance(blocks[-1], Items)):
                blocks.append(Items([]))
            blocks[-1].texts.append(line[4:])
        elif blocks and isinstance(blocks[-1], Items) and line.startswith("    "):
            blocks[-1].texts[-1] += " " + line.strip()
        else:
            ended = before[-1:] in ".:;" or is_heading(Paragraph(before.strip()))
            early = ended and len(before) + 1 + len(word) < width
            indented = line.startswith("  ") and not before.startswith("  ")
            if not blocks or isinstance(blocks[-1], Items) or early or indented:
                blocks.append(Paragraph(line.strip()))
            else:
                blocks[-1].text += " " + line.strip()
        before = line
    return [Heading(block.text) if is_heading(block) else block for block in blocks]


def is_heading(block) -> bool:
    return isinstance(block, Paragraph) and len(block.text) < 60 and block.text[-1:] not in ".:;," and block.text[:1].isupper()


def table(lines: list[str]) -> Table:
    """Columns begin where the words of the first line do. A row whose first column is empty continues the row before it."""
    starts = [match.start() for match in re.finditer(r"\S+", lines[0])]
    rows: list[list[str]] = []
    for line in lines:
        cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None])]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{old} {new}".strip() for old, new in zip(rows[-1], cells)]
    return Table(rows)


def definitions(lines: list[str]) -> Definitions:
    """A term can have several lines. A "-" at the end of one joins them."""
    terms: list[tuple[str, list[str]]] = []
    for line in lines:
        label, text = line[:TERM].strip(), line[TERM:]
        if label and terms and not terms[-1][0].endswith("."):
            old = terms[-1][0]
            terms[-1] = (old[:-1] + label if old.endswith("-") else f"{old} {label}", terms[-1][1] + [text])
        elif label:
            terms.append((label, [text]))
        else:
            terms[-1][1].append(text)
    # In a definition, items are not indented.
    return Definitions(
        [(term.rstrip("."), paragraphs([f"  {text}" for text in texts], WIDTH - TERM + 2)) for term, texts in terms])


def is_definitions(lines: list[str]) -> bool:
    return bool(re.match(r"[A-Z][a-z-]+\.? ", lines[0])) and any(line.startswith(" " * TERM) for line in lines) and all(
        line[TERM - 1:TERM] in (" ", "") for line in lines)


def parse(text: str, names: list[str]) -> Comment:
    """A comment without its delimiters. `names`: the parameters of the function that it belongs to."""
    lines = [re.sub(r"^ \* ?", "", line).rstrip() for line in text.strip().split("\n")]
    comment = Comment()
    end = next((i for i, line in enumerate(lines) if re.match(r"Ownership\b", line)), len(lines))
    last = " ".join(line.strip() for line in lines[end:])
    for words, said in re.findall(rf"((?:(?:{'|'.join(ENDS)}),? ?)+): (.*?)(?= (?:{'|'.join(ENDS)})(?:,|:)|$)", last):
        for word in words.split(", "):
            comment.ends[word] = said.strip(". ") if word == "Since" else said.strip()
    named = rf"(?:{'|'.join(names)})" if names else "(?!)"
    first = next((i for i, line in enumerate(lines[:end]) if re.match(rf"  {named}(?:, {named})*: ", line)), end)
    said = " ".join(line.strip() for line in lines[first:end])
    marks = list(re.finditer(rf"(?:^|(?<=[.;] )|(?<=[.;]))({named}(?:, {named})*): ", said))
    for mark, following in zip(marks, [*marks[1:], None]):
        comment.parameters.append((mark[1].split(", "), said[mark.end():following.start() if following else None].strip()))

    if title := re.match(r"([A-Z][A-Z -]{3,})\. ", lines[0]):
        comment.blocks.append(Heading(title[1]))
        lines[0] = lines[0][title.end():]
    group: list[str] = []
    for line in [*lines[:first], ""]:
        # Verbatim text ends where the indentation ends, and can contain blank lines.
        if line.startswith("    ") and (not group or group[0].startswith("    ")):
            group.append(line)
            continue
        if group and (not line or group[0].startswith("    ")):
            comment.blocks += block(group)
            group = []
        if line:
            group.append(line)
    return comment


def block(lines: list[str]) -> list:
    if lines[0].startswith("    "):
        text = [line[4:] for line in lines]
        return [table(text) if re.match(r"name  ", text[0]) else Verbatim("\n".join(text))]
    return [definitions(lines)] if is_definitions(lines) else paragraphs(lines)


TOKEN = re.compile(r"""
    /\*\ ----\ (?P<section>[\w\ -]*?)\ -+\ \*/\n
  | /\*(?P<comment>.*?)\*/\n
  | (?P<constants>(?:\#define\ BP_\w+[ ][^\n]*\n)+)
  | (?P<code>(?:typedef\ struct\ \w+\ \{.*?\}\ \w+;|[a-z][^;{}]*;)\n)
  | \#[^\n]*\n | \s+ | extern\ "C"\ \{\n | \}\n | .
""", re.X | re.S)


def read(path: Path) -> list[Section]:
    """The sections of the header, the first one before any heading."""
    text = path.read_text(encoding="utf-8")
    sections = [Section("Overview")]
    pending: tuple[str, int] | None = None  # a comment, and the offset of its end

    def leave_comment() -> None:
        nonlocal pending
        if pending:
            sections[-1].parts.append(parse(pending[0], []))
            pending = None

    for found in TOKEN.finditer(text):
        if found["section"]:
            leave_comment()
            sections.append(Section(found["section"]))
        elif found["comment"]:
            leave_comment()
            pending = found["comment"], found.end()
        elif found["constants"]:
            leave_comment()
            for name, value, said in re.findall(r"^#define (BP_\w+) +(.*?) *(?:/\* (.*?) \*/)?$", found["constants"], re.M):
                comment = Comment([Paragraph(said)] if said else [])
                sections[-1].parts.append(Declaration("constant", name, f"#define {name} {value}", comment, value.strip("()")))
        elif found["code"]:
            code = found["code"].strip()
            said = pending[0] if pending and pending[1] == found.start() else ""
            if said:
                pending = None
            leave_comment()
            kind, name = kind_and_name(code)
            names = parameters(code) if kind in ("function", "callback") else []
            sections[-1].parts.append(Declaration(kind, name, code, parse(said, names) if said else Comment()))
    return sections


def kind_and_name(code: str) -> tuple[str, str]:
    if match := re.match(r"typedef struct (\w+) \1;", code):
        return "handle", match[1]
    if match := re.match(r"typedef struct (\w+) \{", code):
        return "struct", match[1]
    if match := re.match(r"typedef .*?\(\*(\w+)\)", code):
        return "callback", match[1]
    match = re.match(r"[\w ]+?\*?(\w+)\(", code)
    assert match, code
    return "function", match[1]


def parameters(code: str) -> list[str]:
    """The names of a function's parameters. (No parameter is a pointer to a function.)"""
    inside = code[code.rindex("(") + 1:code.rindex(")")]
    return [match[1] for each in inside.split(",") if (match := re.search(r"(\w+)\s*$", each)) and match[1] != "void"]


if __name__ == "__main__":  # prints the functions whose comments lack a part
    incomplete = [part.name for section in read(Path(sys.argv[1])) for part in section.declarations("function")
                  if not part.comment.summary or list(part.comment.ends) != list(ENDS)]
    print("\n".join(incomplete))
    sys.exit(1 if incomplete else 0)
