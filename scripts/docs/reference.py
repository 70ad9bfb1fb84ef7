"""The site's pages of the C reference, made from include/backprop.h."""
import re

from header import Comment, Declaration, Definitions, Header, Heading, Items, Paragraph, Section, Table, Verbatim

FOLDER = "reference/"


def page_name(section: Section) -> str:
    return FOLDER + ("index.md" if section.title == "Overview" else section.title.lower() + ".md")


def pages(header: Header) -> dict[str, str]:
    """The text of each page by its name."""
    return {page_name(section): Page(header, section).text() for section in header.sections}


class Page:
    def __init__(self, header: Header, section: Section) -> None:
        self.header, self.section = header, section

    def text(self) -> str:
        lines = [f"# {self.title}", ""]
        functions = self.section.declarations("handle", "struct", "callback", "function")
        if functions:
            lines += ["| name | |", "|---|---|"]
            lines += [f"| {self.link(each.name)} | {self.inline(each.comment.summary)} |" for each in functions] + [""]
        constants: list[Declaration] = []
        for part in [*self.section.parts, None]:
            if isinstance(part, Declaration) and part.kind == "constant":
                constants.append(part)
                continue
            if constants:
                lines += self.constants(constants)
                constants = []
            if isinstance(part, Comment):
                lines += self.blocks(part.blocks, "## ")
            elif part:
                lines += self.declaration(part)
        return "\n".join(lines)

    @property
    def title(self) -> str:
        return "The C interface" if self.section.title == "Overview" else self.section.title

    def declaration(self, part: Declaration) -> list[str]:
        lines = [f"## {part.name}", "", "```c", part.wrapped(88), "```", "", *self.blocks(part.comment.blocks, "### ")]
        for names, said in part.comment.parameters:
            lines += [", ".join(f"`{name}`" for name in names), f":   {self.inline(said)}", ""]
        lines += [f"- **{word}**: {self.inline(said)}" for word, said in part.comment.ends.items()]
        return [*lines, ""]

    def constants(self, parts: list[Declaration]) -> list[str]:
        rows = [f'| <a id="{part.name}"></a>`{part.name}` | {part.value} | '
                f'{self.inline(" ".join(block.text for block in part.comment.blocks))} |' for part in parts]
        return ["| constant | value | meaning |", "|---|---|---|", *rows, ""]

    def blocks(self, blocks: list, heading: str) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            if isinstance(block, Heading):
                lines += [heading + self.inline(block.text.capitalize() if block.text.isupper() else block.text)]
            elif isinstance(block, Paragraph):
                lines += [self.inline(block.text)]
            elif isinstance(block, Items):
                lines += [f"- {self.inline(text)}" for text in block.texts]
            elif isinstance(block, Verbatim):
                lines += ["```c" if block.is_code else "```text", block.text, "```"]
            elif isinstance(block, Table):
                cells = [[self.inline(cell) for cell in row] for row in block.rows]
                lines += [self.row(cells[0]), self.row(["---"] * len(cells[0])), *(self.row(row) for row in cells[1:])]
            elif isinstance(block, Definitions):
                for term, inside in block.terms:
                    text = "\n".join(self.blocks(inside, heading)).strip("\n")
                    lines += [f"**{term}**", ":   " + text.replace("\n", "\n    "), ""]
            lines.append("")
        return lines

    def row(self, cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    def inline(self, text: str) -> str:
        """Names become code, and links where the header declares them."""
        said = ""
        for kind, words, named in self.header.spans(text):
            said += self.link(named, words) if kind == "link" else f"`{words}`" if kind == "code" else escaped(words)
        return said

    def link(self, name: str, shown: str = "") -> str:
        page = page_name(self.header.section_of[name]).removeprefix(FOLDER)
        here = self.header.section_of[name] is self.section
        return f"[`{shown or name}`]({'' if here else page}#{name})"


def escaped(text: str) -> str:
    text = re.sub(r"([\\`*_\[\]{}#])", r"\\\1", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")
