#!/usr/bin/env python3
"""Writes the man pages of section 3 from include/backprop.h: manpages.py FOLDER

A page for each function and for each section of the header (backprop_networks.3), and backprop.3 for its conventions. Types and
constants are links to the page of their section.
"""
import re
import sys
from pathlib import Path

from header import Comment, Declaration, Definitions, Header, Heading, Items, Paragraph, Section, Table, Verbatim

ROOT = Path(__file__).resolve().parent.parent.parent


class Pages:
    def __init__(self, header: Header) -> None:
        self.header = header

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.3"):
            old.unlink()
        for section in self.header.sections:
            name = page_name(section)
            (folder / f"{name}.3").write_text(self.section(name, section))
            for part in section.declarations("function"):
                (folder / f"{part.name}.3").write_text(self.function(part, name))
            for part in section.declarations("constant", "handle", "struct", "callback"):
                (folder / f"{part.name}.3").write_text(f".so man3/{name}.3\n")

    def page(self, name: str, summary: str, *parts: list[str]) -> str:
        lines = [f'.TH {name.upper()} 3 "" "backprop {self.header.version}" "Library Functions Manual"', ".SH NAME",
                 f"{name} \\- {escaped(summary)}", ".SH LIBRARY", "libbackprop (\\-lbackprop)"]
        for part in parts:
            lines += part
        return "\n".join(lines) + "\n"

    def function(self, part: Declaration, section: str) -> str:
        parameters, ends = self.parameters(part), part.comment.ends
        since = ends.get("Since", "")
        return self.page(
            part.name, part.comment.title, [".SH SYNOPSIS", ".B #include <backprop.h>", ".PP", *code(part)],
            [".SH DESCRIPTION", *self.blocks(part.comment.blocks)], [".SH PARAMETERS", *parameters] if parameters else [],
            *([f".SH {word.upper()}", *self.inline(ends[word])] for word in ("Ownership", "Errors", "Threads") if word in ends),
            [".SH SINCE", f"Version {since}." if re.match(r"\d", since) else escaped(since)],
            [".SH SEE ALSO", f".BR {section} (3),", ".BR backprop (3)"])

    def section(self, name: str, section: Section) -> str:
        is_overview = section.title == "Overview"
        summary = "multilayer neural networks trained by backpropagation" if is_overview else f"{section.title} of libbackprop"
        lines: list[str] = []
        constants: list[Declaration] = []
        for part in section.parts:
            if isinstance(part, Comment):
                lines += self.blocks(part.blocks)
            elif part.kind == "constant":
                constants.append(part)
            elif part.kind != "function":
                lines += [f".SS {part.name}", *code(part), *self.blocks(part.comment.blocks), *self.parameters(part)]
        if constants:
            lines += [".SS Constants"]
            for part in constants:
                said = " ".join(block.text for block in part.comment.blocks)
                lines += [".TP", f".B {part.name}", *self.inline(f"{part.value}: {said}" if said else part.value)]
        functions = section.declarations("function")
        if functions:
            lines += [".SS Functions"]
            for part in functions:
                lines += [".TP", f".BR {part.name} (3)", *self.inline(part.comment.summary)]
        others = [page_name(each) for each in self.header.sections if each is not section]
        see = [f".BR {other} (3)" + ("," if other != others[-1] else "") for other in others]
        return self.page(name, summary, [".SH SYNOPSIS", ".B #include <backprop.h>"], [".SH DESCRIPTION", *lines], [".SH SEE ALSO", *see])

    def parameters(self, part: Declaration) -> list[str]:
        return [line for names, said in part.comment.parameters for line in (".TP", ".I " + ", ".join(names), *self.inline(said))]

    def blocks(self, blocks: list) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            if isinstance(block, Heading):
                lines += [f".SS {escaped(block.text.capitalize() if block.text.isupper() else block.text)}"]
            elif isinstance(block, Paragraph):
                lines += [*gap(lines), *self.inline(block.text)]
            elif isinstance(block, Items):
                lines += [line for text in block.texts for line in (".IP \\(bu 2", *self.inline(text))]
            elif isinstance(block, Verbatim):
                lines += [*gap(lines), ".nf", ".RS 2", *(escaped(line, True) for line in block.text.split("\n")), ".RE", ".fi"]
            elif isinstance(block, Table):
                for row in block.rows[1:]:
                    lines += [".TP", f".BR {escaped(row[0])} \" {escaped(row[1])}, default {escaped(row[2])}\"", *self.inline(row[3])]
            elif isinstance(block, Definitions):
                for term, inside in block.terms:
                    lines += [".TP", f".B {escaped(term)}"]
                    first, *rest = inside
                    lines += self.inline(first.text) if isinstance(first, Paragraph) else [".RS", *self.blocks([first]), ".RE"]
                    if rest:
                        lines += [".RS", *self.blocks(rest), ".RE"]
        return lines

    def inline(self, text: str) -> list[str]:
        """One line for each sentence. Names of functions are bold, other names italic."""
        said = ""
        for kind, words, named in self.header.spans(text):
            bold = kind == "link" and named.startswith(("bp_", "BP_"))
            said += escaped(words) if kind == "text" else f"\\f{'B' if bold else 'I'}{escaped(words, True)}\\fR"
        return [guarded(line) for line in re.split(r"(?<=[.;:]) (?=[A-Z\\\"*]|[a-z]+:)", said)]


def page_name(section: Section) -> str:
    return "backprop" if section.title == "Overview" else "backprop_" + section.title.lower().replace("-", "")


def gap(lines: list[str]) -> list[str]:
    """The request for a new paragraph, except after a heading."""
    return [".PP"] if lines and not lines[-1].startswith(".SS") else []


def guarded(line: str) -> str:
    """A line of text that is no request."""
    return "\\&" + line if line.startswith((".", "'")) else line


def escaped(text: str, is_code: bool = False) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return guarded(text) if is_code else text


def code(part: Declaration) -> list[str]:
    return [".nf", *(escaped(line, True) for line in part.wrapped(72).split("\n")), ".fi"]


if __name__ == "__main__":
    Pages(Header(ROOT / "include" / "backprop.h")).write(Path(sys.argv[1]))
