"""Options, help, exit statuses, pipes, signals and the terminal."""
import fcntl
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios

import libbackprop as bp
import pytest
from conftest import IRIS, PROGRAM, ROOT, backprop

COMMANDS = ["train", "predict", "evaluate", "info", "check", "export", "bench", "plugin"]


def test_help_and_version():
    assert backprop("--version").out == f"backprop {bp.__version__}\n"
    program = backprop("--help").out
    for command in COMMANDS:
        assert command in program
        out = backprop(command, "--help").out
        assert out.startswith(f"Usage: backprop {command}") and max(map(len, out.splitlines())) <= 80


def options(command):
    return re.findall(r"^  (?:-\w, )?--([\w-]+)", backprop(command, "--help").out, re.M)


def test_every_option_of_the_library_is_an_option_of_train_with_its_default():
    out, names = " ".join(backprop("train", "--help").out.split()), options("train")
    skipped = {"resume", "steps_per_epoch", "progress_interval", "progress_seconds", "validation_fraction", "stratify", "missing_targets"}
    for option in bp.options():
        assert (option.name.replace("_", "-") in names) == (option.name not in skipped), option.name
        if option.name not in skipped:
            place = out.index(f"--{option.name.replace('_', '-')} ")
            shown = re.search(r"\(default (\S+)\)", out[place:])[1]
            assert (option.choices.index(shown) if option.choices else float(shown)) == option.default, option.name


def test_man_page_and_completions_have_the_options_of_the_help():
    man = backprop("--man").out.replace("\\-", "-")
    fish = backprop("--completion", "fish").out
    sections = re.split(r'^\.SS "backprop (\w+).*$', man, flags=re.M)
    in_man = dict(zip(sections[1::2], sections[2::2]))
    for command in COMMANDS:
        expected = options(command)
        assert re.findall(r"^\.B (?:-\w, )?--([\w-]+)", in_man[command].split(".SH")[0], re.M) == expected
        assert re.findall(rf"seen_subcommand_from {command}' -l ([\w-]+)", fish) == expected
        line = completed("backprop", command, "--")
        assert sorted(line) == sorted("--" + each for each in expected)


def completed(*words):
    script = backprop("--completion", "bash").out + f"""
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}; _backprop
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return subprocess.run(["bash", "-u", "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_bash_completes_commands_options_and_values():
    assert completed("backprop", "tr") == ["train"]
    assert completed("backprop", "train", "--opti") == ["--optimizer"]
    assert "tanh" in completed("backprop", "train", "--activation", "")
    assert completed("backprop", "train", "--schedule", "cos") == ["cosine"]
    assert completed("backprop", "--completion", "f") == ["fish"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_options_and_values(tmp_path):
    (tmp_path / "backprop.fish").write_text(backprop("--completion", "fish").out)

    def completed(line):
        script = f"source {tmp_path}/backprop.fish; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(tmp_path)})
        assert done.stderr == ""
        return [each.split("\t")[0] for each in done.stdout.splitlines()]

    assert completed("backprop tr") == ["train"]
    assert completed("backprop train --optimi") == ["--optimizer"]
    assert "tanh" in completed("backprop train --activation ")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_the_options_of_the_help(tmp_path):
    (tmp_path / "_backprop").write_text(backprop("--completion", "zsh").out)
    for command in COMMANDS:
        script = f"""words=(backprop {command} --); CURRENT=3; _arguments() {{ print -l -- "$@" }}
            complete() {{ source {tmp_path}/_backprop }}; complete"""
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        assert re.findall(r"^\*--([\w-]+)\[", done.stdout, re.M) == options(command)
        if command == "train":
            assert "\n*--schedule[" in done.stdout and ":WORD:(constant step exponential cosine" in done.stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_man_page_is_valid_roff():
    man = backprop("--man").out
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=man, capture_output=True, text=True)
    assert done.stderr == "" and done.returncode == 0


USAGE = {
    (): "no command is given",
    ("trian", IRIS): "did you mean train?",
    ("train",): "0 arguments",
    ("train", IRIS, IRIS): "2 arguments",
    ("train", IRIS, "--hiden", "3"): "did you mean --hidden?",
    ("train", IRIS, "--hidden"): "needs a value",
    ("train", IRIS, "--classes=1"): "takes no value",
    ("train", IRIS, "--hidden", "3,x"): "integer",
    ("train", IRIS, "--hidden", "3,,4"): "integer",
    ("train", IRIS, "--hidden", "-1"): "integer",
    ("train", IRIS, "--activation", "tanhh"): 'did you mean "tanh"?',
    ("train", IRIS, "--loss", "zzzz"): "squared_error",
    ("train", IRIS, "--optimizer", "adm"): 'did you mean "adam"?',
    ("train", IRIS, "--epochs", "0"): "epochs",
    ("train", IRIS, "--epochs", "1.5"): "epochs",
    ("train", IRIS, "--learning-rate", "nan"): "learning-rate",
    ("train", IRIS, "--learning-rate", "1e400"): "learning-rate",
    ("train", IRIS, "--schedule", "cosin"): "cosine",
    ("train", IRIS, "--validation", "1"): "0.99",
    ("train", IRIS, "--missing", "zero"): "refuse",
    ("train", IRIS, "--delimiter", ",,"): "delimiter",
    ("train", IRIS, "--threads", "257"): "256",
    ("train", IRIS, "-x"): '"-x"',
    ("predict",): "0 arguments",
    ("evaluate", "m"): "1 argument ",
    ("--completion", "powershell"): "bash, zsh, fish",
}


@pytest.mark.parametrize("arguments", USAGE)
def test_wrong_arguments_give_status_2_and_one_line(arguments):
    error = backprop(*arguments, status=2).error
    assert error.count("\n") == 1 and USAGE[arguments] in error, error


def test_an_unknown_target_is_suggested():
    assert 'did you mean "species"?' in backprop("train", IRIS, "--target", "specis", status=1).error


@pytest.mark.parametrize("locale", ["de_DE.UTF-8", "C", "C.UTF-8"])
def test_numbers_have_a_point_in_any_locale(locale, iris_model):
    expected = backprop("predict", iris_model, IRIS).out
    assert backprop("predict", iris_model, IRIS, env={"LC_ALL": locale, "LANG": locale}).out == expected


def test_a_closed_pipe_ends_the_program_without_a_message(iris_model, table):
    rows = open(IRIS).read().splitlines()
    path = table("\n".join([rows[0], *rows[1:] * 2000]) + "\n")
    process = subprocess.Popen([PROGRAM, "predict", str(iris_model), str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == -signal.SIGPIPE


def test_a_full_disk_is_reported(iris_model):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "predict", str(iris_model), IRIS], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr == "backprop: standard output: No space left on device\n"


def test_large_files_are_predicted_in_little_memory(iris_model):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

    header, *rows = open(IRIS).read().splitlines()
    block = ("\n".join(rows) + "\n").encode()
    process = subprocess.Popen([PROGRAM, "predict", str(iris_model), "--threads", "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, preexec_fn=limit)
    process.stdin.write(header.encode() + b"\n")
    for _ in range(10_000_000 // len(block) * 4):
        process.stdin.write(block)
    process.stdin.close()
    assert process.stderr.read() == b"" and process.wait() == 0


def test_refused_memory_is_an_error_and_the_old_model_stays(tmp_path):
    (tmp_path / "m").write_text("old")
    text = b"a,y\n" + b"1,2\n" * 5_000_000
    for limit in (24 << 20, 48 << 20, 96 << 20):
        done = subprocess.run([PROGRAM, "train", "-", "--threads", "1", "-q", "-o", str(tmp_path / "m")], input=text, capture_output=True,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        assert done.returncode == 1 and b"out of memory" in done.stderr and done.stderr.count(b"\n") == 1, done
    assert (tmp_path / "m").read_text() == "old"


def endless(*more):
    """A training that does not end by itself."""
    return [PROGRAM, "train", IRIS, "--validation", "0.2", "--epochs", "1000000000", *more]


@pytest.mark.parametrize("number, more", [(signal.SIGINT, []), (signal.SIGTERM, []), (signal.SIGINT, ["--restarts", "3"])])
def test_a_signal_saves_the_best_network_and_the_status_says_so(number, more, tmp_path):
    model = tmp_path / "m"
    process = subprocess.Popen(endless("-o", str(model), *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "epoch 100/" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == 128 + number
    assert "interrupted by a signal" in out and "saved in" in out
    assert backprop("evaluate", model, IRIS).out
    assert len(list(tmp_path.iterdir())) == 1


def test_a_second_signal_ends_the_program_at_once(tmp_path):
    process = subprocess.Popen(endless("--threads", "1", "-o", str(tmp_path / "m")), stderr=subprocess.PIPE, text=True)
    while "epoch 1/" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCONT):  # both are delivered before the training continues
        process.send_signal(number)
    assert process.wait() == -signal.SIGTERM
    assert not (tmp_path / "m").exists()


def on_terminal(command, env):
    """What the program writes to a terminal of 60 columns."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=child, env={**os.environ, **env})
    os.close(child)
    text = b""
    while True:
        select.select([parent], [], [])
        try:
            block = os.read(parent, 4096)
        except OSError:
            break
        if not block:
            break
        text += block
    os.close(parent)
    assert process.wait() == 0
    return text.decode()


def test_a_terminal_shows_one_line_with_a_curve():
    text = on_terminal([PROGRAM, "train", IRIS, "--epochs", "40", "-o", "/dev/null"][:-2], {"TERM": "xterm", "LC_ALL": "C.UTF-8"})
    lines = [line for line in text.split("\r") if line.startswith("epoch ")]
    assert lines[-1].startswith("epoch 40/40  loss ") and re.search("[▁▂▃▄▅▆▇█]{20}", lines[-1])
    assert all(len(line.replace("\x1b[K", "").rstrip("\n")) < 60 for line in lines)
    assert text.replace("\r\n", "\n").split("note:")[-1].count("\n") <= 2


def test_blocks_are_drawn_only_with_utf8_and_a_line_only_where_the_cursor_moves():
    command = [PROGRAM, "train", IRIS, "--epochs", "40"]
    assert not re.search("[▁▂▃▄▅▆▇█]", on_terminal(command, {"TERM": "xterm", "LC_ALL": "C"}))
    assert "\x1b" not in on_terminal(command, {"TERM": "dumb", "LC_ALL": "C.UTF-8"})
    assert on_terminal([*command, "--quiet"], {"TERM": "xterm"}) == ""


def test_without_a_terminal_there_are_whole_lines():
    error = backprop("train", IRIS, "--target", "species", "--epochs", "40", "-o", "/dev/null/x", status=1).error
    assert "Not a directory" in error
    error = backprop("train", IRIS, "--target", "species", "--epochs", "40").error
    epochs = re.findall(r"^epoch (\d+)/40  loss [\d.]+$", error, re.M)
    assert epochs == ["1", "2", "5", "10", "20", "40"]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "activations.so"
    subprocess.run(["cc", "-std=c99", "-O2", "-shared", "-fPIC", "-I", ROOT / "include", ROOT / "Examples/plugin-c/activations.c", "-o", path,
                    "-lm"], check=True)
    return path


def test_a_plugin_is_listed_checked_and_used(plugin, tmp_path):
    out = backprop("plugin", plugin).out
    assert [line.split()[1] for line in out.splitlines()] == ["celu", "serf", "rms"] and out.count(" ok") == 3
    assert backprop("plugin", plugin.name, folder=plugin.parent).out == out
    model = tmp_path / "m"
    backprop("train", IRIS, "--plugin", plugin, "--activation", "celu", "--epochs", "2", "-q", "-o", model)
    assert "celu" in backprop("predict", model, IRIS, status=1).error
    assert backprop("predict", model, IRIS, "--plugin", plugin).out.count("\n") == 151
    assert "celu" in backprop("info", model, "--plugin", plugin).out
    error = backprop("export", model, "--plugin", plugin, "-o", tmp_path / "model.onnx", status=1).error
    assert error == "backprop: layer 1: ONNX has no operator for the custom activation \"celu\"\n"
    assert backprop("plugin", IRIS, status=1).error.count("\n") == 1


def test_the_program_needs_no_swift_runtime_and_is_small():
    needed = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True).stdout)
    assert all(re.match(r"(libc|libm|libffi|ld-linux[-\w]*)\.so", name) for name in needed), needed
    assert os.path.getsize(PROGRAM) < 900_000


def test_the_first_example_of_the_readme_runs(tmp_path):
    text = (ROOT / "README.md").read_text()
    lines = re.findall(r"^    build/(backprop .*)$", text, re.M)
    assert len(lines) == 2
    for line in lines:
        subprocess.run(line.replace("Examples/", f"{ROOT}/Examples/"), shell=True, check=True, cwd=tmp_path, stderr=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**os.environ, "PATH": f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}"})
    assert (tmp_path / "iris.safetensors").exists()
    assert (tmp_path / "predictions.csv").read_text().startswith("species,setosa,versicolor,virginica\n")
