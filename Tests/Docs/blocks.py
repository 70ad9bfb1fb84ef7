"""Runs the blocks of code on pages of Markdown: blocks.py WORK BUILD PAGE...   (writes to WORK, and to WORK/../swift)

The blocks of one language on a page, put one after the other, are a program.

- C: a new program begins at a block with #include <backprop.h>. It is compiled with warnings as errors, and run.
- Swift: a new program begins at a block with "import Backprop". All are built in one package, and run.
- Python: one program for each page, in the virtual environment of this script.
- sh: run where it stands.
- A block of another language is not run. It must be json or text, or become a file.

A block of text after a paragraph that ends with "print" or "prints" is the output of the programs in the languages that the paragraph
names, or otherwise of the block before it. A comment before a block changes how it is used:

    <!-- file: NAME -->           the block is written to this file, for a block of sh that follows
    <!-- not run: REASON -->      the block is not run
"""
from __future__ import annotations  # for Python 3.9

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LANGUAGES = {"C": "c", "Python": "python", "Swift": "swift", "shell": "sh"}
SECONDS = 600  # for a program that hangs, not for a slow machine

# Executes blocks in one namespace, and answers with what they print.
WORKER = """
import contextlib, io, json, sys, traceback
answers, namespace = sys.stdout, {"__name__": "__main__"}
for request in sys.stdin:
    code, page, line = json.loads(request)
    printed, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile("\\n" * line + code, page, "exec"), namespace)
    except BaseException:
        error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), file=answers, flush=True)
"""


@dataclass
class Block:
    language: str
    code: str
    line: int  # of the fence, from 1
    paragraph: str  # before it
    marks: dict[str, str]


@dataclass
class SwiftProgram:
    page: "Page"
    name: str
    code: str
    expected: str | None = None


class Failed(Exception):
    pass


def blocks(text: str) -> list[Block]:
    found, paragraph, marks = [], "", {}
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        line = lines[i]
        fence = re.match(r"( *)(```+)(\w*)\s*$", line)
        if fence:
            end = next(k for k in range(i + 1, len(lines)) if lines[k].strip() == fence[2])
            code = "\n".join(each.removeprefix(fence[1]) for each in lines[i + 1:end]) + "\n"
            found.append(Block(fence[3], code, i + 1, paragraph, marks))
            paragraph, marks, i = "", {}, end
        elif mark := re.match(r"<!-- (file|not run): (.*) -->$", line):
            marks[mark[1]] = mark[2]
        elif line:
            paragraph = f"{paragraph} {line}".strip() if i and lines[i - 1] else line
        i += 1
    return found


@dataclass
class Page:
    path: Path
    work: Path
    build: Path
    environment: dict[str, str]
    printed: dict[str, str] = field(default_factory=dict)  # by language, since it was last compared
    program: str = ""  # the C program that is not yet complete
    swift: list[SwiftProgram] = field(default_factory=list)
    python: subprocess.Popen | None = None

    @property
    def folder(self) -> Path:
        return self.work / self.path.stem

    @property
    def has_programs(self) -> bool:
        return any(block.language not in ("", "text") for block in blocks(self.path.read_text()))

    def run(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for data in ("iris.csv", "digits.csv"):
            shutil.copy(ROOT / "Examples/data" / data, self.folder)
        last = ""
        try:
            for block in blocks(self.path.read_text()):
                name = "text" if not block.language else block.language
                if "not run" in block.marks:
                    continue
                if "file" in block.marks:
                    (self.folder / block.marks["file"]).write_text(block.code)
                elif name == "text":
                    self.compare(block, last)
                elif name == "c":
                    if "#include <backprop.h>" in block.code:
                        self.finish_c()
                    self.program += f'#line {block.line + 1} "{self.path.name}"\n{block.code}'
                elif name == "swift":
                    self.add_swift(block)
                elif name == "sh":
                    self.printed["sh"] = self.printed.get("sh", "") + self.call(["bash", "-euo", "pipefail", "-c", block.code], block)
                elif name == "python":
                    self.printed["python"] = self.printed.get("python", "") + self.run_python(block)
                elif name != "json":
                    raise Failed(f"line {block.line}: a block of {name} is neither run nor a file, nor marked as not run")
                last = name if name != "text" else last
            self.finish_c()
        finally:
            if self.python:
                self.python.stdin.close()
                self.python.wait()

    def call(self, command: list, block: Block | None = None) -> str:
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            where = f"line {block.line}: " if block else ""
            raise Failed(f"{where}{Path(command[0]).name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run_python(self, block: Block) -> str:
        if not self.python:
            self.python = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                           env=self.environment, text=True)
        self.python.stdin.write(json.dumps([block.code, self.path.name, block.line]) + "\n")
        self.python.stdin.flush()
        printed, error = json.loads(self.python.stdout.readline())
        if error:
            raise Failed(error)
        return printed

    def finish_c(self) -> None:
        if not self.program:
            return
        source, program = self.folder / "program.c", self.folder / "program"
        source.write_text(self.program)
        self.program = ""
        self.call(["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", source, "-o", program, "-lbackprop", "-lm"])
        self.printed["c"] = self.call([program])

    def add_swift(self, block: Block) -> None:
        if "import Backprop" in block.code:
            name = f"{re.sub(r'[^a-z]', '', self.path.stem.lower())}{len(self.swift)}"
            self.swift.append(SwiftProgram(self, name, ""))
        if not self.swift:
            raise Failed(f"line {block.line}: a Swift program must begin with import Backprop")
        self.swift[-1].code += f'#sourceLocation(file: "{self.path.name}", line: {block.line + 1})\n{block.code}#sourceLocation()\n'

    def compare(self, block: Block, last: str) -> None:
        if not re.search(r"\bprints?:?$", block.paragraph):
            return
        self.finish_c()
        sentence = block.paragraph.split(". ")[-1]
        named = [language for word, language in LANGUAGES.items() if re.search(rf"\b{word}\b", sentence)]
        for language in named or [last]:
            if language == "swift":
                self.swift[-1].expected = block.code
            elif (printed := self.printed.pop(language, "")) != block.code:
                raise Failed(f"line {block.line}: the {language} program prints\n{printed}")


def build_swift(programs: list[SwiftProgram], work: Path) -> None:
    """A package with a target for each program."""
    package = work / "swift"
    shutil.rmtree(package / "Sources", ignore_errors=True)
    targets = ""
    for program in programs:
        folder = package / "Sources" / program.name
        folder.mkdir(parents=True)
        (folder / "main.swift").write_text(program.code)
        targets += f'        .executableTarget(name: "{program.name}", dependencies: [.product(name: "Backprop", package: "libbackprop")]),\n'
    (package / "Package.swift").write_text(f"""// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "pages", dependencies: [.package(name: "libbackprop", path: "{ROOT}")],
    targets: [
{targets}    ])
""")
    done = subprocess.run(["swift", "build", "--disable-automatic-resolution", "--package-path", package, "--scratch-path", work.parent / "swift"],
                          capture_output=True, text=True)
    if done.returncode or "warning:" in done.stdout + done.stderr:
        raise Failed(done.stdout + done.stderr)


def main(work: str, build: str, *names: str) -> int:
    work, build = Path(work).resolve(), Path(build).resolve()
    environment = {
        **os.environ, "PATH": f"{build}:{os.environ['PATH']}", "C_INCLUDE_PATH": str(ROOT / "include"), "LIBRARY_PATH": str(build),
        "LD_LIBRARY_PATH": str(build), "LIBBACKPROP_LIBRARY": str(build / "libbackprop.so"), "PYTHONPATH": str(ROOT / "bindings/python"),
        "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"}
    passed = failed = 0

    def claim(name: str, run) -> bool:
        nonlocal passed, failed
        try:
            run()
            passed += 1
            print(f"ok {name}", flush=True)
            return True
        except (Failed, subprocess.TimeoutExpired) as error:
            failed += 1
            print(re.sub("^", "#   ", str(error), flags=re.M))
            print(f"not ok {name}", flush=True)
            return False

    pages = [page for name in names if (page := Page(Path(name), work, build, environment)).has_programs]
    for page in pages:
        claim(f"the programs of {page.path.name} run", page.run)
    programs = [program for page in pages for program in page.swift]

    def run(program: SwiftProgram) -> None:
        printed = program.page.call([work.parent / "swift/debug" / program.name])
        if program.expected not in (None, printed):
            raise Failed(f"the Swift program prints\n{printed}")

    if programs and claim("the Swift programs compile without warnings", lambda: build_swift(programs, work)):
        for program in programs:
            claim(f"the Swift program {program.name} runs", lambda: run(program))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
