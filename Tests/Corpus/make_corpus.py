"""Writes good/ and bad/ and their lines in manifest.txt. Needs only Python. The library is not used: files, checksum and
expected outputs follow the description in docs/file-format.md. The files in old/ were written by earlier versions of the library and
are never written again."""
import json
import math
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
OPENING = '{"__metadata__":{"format":"libbackprop","format_version":"'


def crc64(data):
    """CRC-64/XZ, bit by bit."""
    register = (1 << 64) - 1
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xC96C5795D7870F42 if register & 1 else 0)
    return register ^ ((1 << 64) - 1)


class Model:
    """A network as the keys and tensors of its file."""

    def __init__(self, layers, activations, batchnorm, seed=7):
        self.words = {"layers": ",".join(map(str, layers)), "activations": ",".join(activations),
                      "batchnorm": ",".join(batchnorm), "loss": "squared_error", "seed": str(seed), "steps": "3",
                      "pristine": "no", "random": "0123456789abcdef,fedcba9876543210,0000000000000001,00000000000000ff"}
        self.tensors = []
        numbers = (round(math.sin(1 + i) * 1024) / 1024 for i in range(10**6))  # exact in float
        for i, (inputs, outputs) in enumerate(zip(layers, layers[1:]), 1):
            names = [("weight", [outputs, inputs]), ("bias", [outputs])]
            if batchnorm[i - 1] != "none":
                names += [(f"norm.{name}", [outputs]) for name in ("weight", "bias", "running_mean", "running_var")]
            for name, shape in names:
                values = [next(numbers) for _ in range(math.prod(shape))]
                if name == "norm.running_var":
                    values = [abs(value) for value in values]
                self.tensors.append((f"layers.{i}.{name}", shape, values))

    @property
    def data(self):
        return b"".join(struct.pack(f"<{len(values)}f", *values) for _, _, values in self.tensors)

    @property
    def header(self):
        text = OPENING + '1","checksum":"' + "0" * 16 + '"'
        text += "".join(f',"{key}":"{value}"' for key, value in self.words.items()) + "}"
        at = 0
        for name, shape, values in self.tensors:
            end = at + 4 * len(values)
            text += f',"{name}":{{"dtype":"F32","shape":{json.dumps(shape, separators=(",", ":"))},"data_offsets":[{at},{end}]}}'
            at = end
        return text + "}"

    def outputs(self, x):
        """For each layer: z = w x + b; with batch normalization (z - mean) / sqrt(variance + 1e-5) gamma + beta; the activation."""
        values = {name: v for name, _, v in self.tensors}
        if "scaling.inputs" in self.words:
            # Rows of floats are scaled without the remainder.
            x = [(v - o) / s for v, o, s in zip(x, values["scaling.inputs.offset"], values["scaling.inputs.scale"])]
        batchnorm = self.words["batchnorm"].split(",")
        for i, activation in enumerate(self.words["activations"].split(","), 1):
            w, b = values[f"layers.{i}.weight"], values[f"layers.{i}.bias"]
            z = [sum(w[o * len(x) + k] * x[k] for k in range(len(x))) + b[o] for o in range(len(b))]
            if batchnorm[i - 1] == "on":
                norm = [values[f"layers.{i}.norm.{name}"] for name in ("weight", "bias", "running_mean", "running_var")]
                z = [(z[o] - norm[2][o]) / math.sqrt(norm[3][o] + 1e-5) * norm[0][o] + norm[1][o] for o in range(len(z))]
            x = {"identity": lambda: z, "tanh": lambda: [math.tanh(v) for v in z],
                 "relu": lambda: [max(0, v) for v in z], "logistic": lambda: [1 / (1 + math.exp(-v)) for v in z],
                 "softmax": lambda: [math.exp(v) / sum(map(math.exp, z)) for v in z]}[activation]()
        if "scaling.targets" in self.words:
            x = [v * s + o for v, o, s in zip(x, values["scaling.targets.offset"], values["scaling.targets.scale"])]
        return x


def seal(header, data):
    """A file with a correct checksum for any header."""
    header = header if isinstance(header, bytes) else header.encode()
    file = struct.pack("<Q", len(header)) + header + data
    start = 8 + len(OPENING) + len('1","checksum":"')
    return file[:start] + b"%016x" % crc64(file[:start] + b"0" * 16 + file[start + 16:]) + file[start + 16:]


manifest = {"good": [], "bad": []}


def good(name, model, header=None):
    (HERE / "good" / name).write_bytes(seal(header or model.header, model.data))
    inputs = [round(math.cos(i) * 64) / 64 for i in range(int(model.words["layers"].split(",")[0]))]
    numbers = " ".join(f"{value!r}" for value in inputs) + " -> " + " ".join(f"{v:.9g}" for v in model.outputs(inputs))
    manifest["good"].append(f"good/{name} {numbers}")


def bad(name, file, status, message):
    (HERE / "bad" / name).write_bytes(file)
    manifest["bad"].append(f"bad/{name} BP_ERROR_{status} {message}")


for folder in ("good", "bad"):
    for file in (HERE / folder).iterdir():
        file.unlink()

good("two-layers", Model([3, 2], ["identity"], ["none"]))
good("three-layers", Model([4, 3, 2], ["tanh", "logistic"], ["none", "none"]))
good("normalized", Model([3, 5, 2], ["relu", "softmax"], ["on", "on"]))
good("normalization-kept-but-off", Model([3, 5, 2], ["tanh", "identity"], ["off", "none"]))
good("wide", Model([1, 40, 1], ["relu", "identity"], ["none", "none"]))
good("deep", Model([2] * 9, ["tanh"] * 8, ["none"] * 8))
optioned = Model([2, 3, 1], ["tanh", "identity"], ["on", "none"])
optioned.words.update({"option.batchnorm_epsilon": "1e-05", "option.gradient_reduction": "1"})
good("options", optioned)
optimized = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
optimized.words.update({"optimizer": "rmsprop", "optimizer.steps": "3"})
optimized.tensors += [(f"optimizer.second_moment.{name}", shape, [v * v for v in values]) for name, shape, values in optimized.tensors]
good("optimizer", optimized)
limited = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])  # 13 parameters, 2 pairs of L-BFGS
limited.words.update({"optimizer": "lbfgs", "optimizer.steps": "3", "option.lbfgs_history": "2"})
limited.tensors += [("optimizer.history", [4, 13], [math.cos(i // 26) / 8 for i in range(52)]), ("optimizer.state", [4], [2, 1, 0, 0])]
good("history-of-lbfgs", limited)
damped = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
damped.words.update({"optimizer": "bayesian_regularization", "optimizer.steps": "3"})
damped.tensors += [("optimizer.state", [4], [0.5, 0.25, 8, 3.5])]
good("state-of-bayesian-regularization", damped)
scaled = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
scaled.words.update({"scaling.inputs": "standard", "scaling.targets": "min_max"})
scaled.tensors += [("scaling.inputs.offset", [2], [0.5, -1]), ("scaling.inputs.scale", [2], [2, 0.25]),
                   ("scaling.targets.offset", [1], [10]), ("scaling.targets.scale", [1], [4])]
good("scaling", scaled)
doubles = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
doubles.words.update({"scaling.inputs": "standard+remainder", "scaling.targets": "min_max"})
doubles.tensors += [("scaling.inputs.offset", [2], [0.5, -1]), ("scaling.inputs.scale", [2], [2, 0.25]),
                    ("scaling.inputs.remainder", [2, 2], [0.125, 2**-30, -0.25, 0]), ("scaling.targets.offset", [1], [10]),
                    ("scaling.targets.scale", [1], [4])]
good("scaling-of-doubles", doubles)
resumable = Model([2, 2, 1], ["tanh", "identity"], ["none", "on"])  # after 5 steps, the best network being that after 4
resumable.words.update({"optimizer": "momentum", "optimizer.steps": "5"})
own = resumable.tensors
state = lambda prefix: [(f"{prefix}optimizer.momentum.{name}", shape, [v / 4 for v in values]) for name, shape, values in own
                        if "running" not in name]
resumable.tensors = own + state("") + [(f"fit.best.{name}", shape, [abs(v) / 2 for v in values]) for name, shape, values in own] + state("fit.best.")


def position(seed=3, restart=0, step=5, loss_sum=0.5, rows=1, rate_factor=0.5, loss=0.75, best=0.25, waited=1, plateau_waited=1,
             data=(), stream=()):
    bits = lambda value: struct.unpack("<Q", struct.pack("<d", value))[0]
    return ",".join(f"{word:016x}" for word in (seed, restart, step, bits(loss_sum), rows, bits(rate_factor), bits(loss), bits(best),
                                                waited, plateau_waited, *data, *stream))


def best_network(random=(1, 2, 3, 4), steps=4, optimizer_steps=4, pristine=0, **fit):
    fit = {"step": 4, "loss_sum": 0.0, "rows": 0, "loss": 0.25, "waited": 0, "plateau_waited": 0} | fit
    return ",".join(f"{word:016x}" for word in (*random, steps, optimizer_steps, pristine)) + "," + position(**fit)


resumable.words.update({"fit": position(), "fit.best": best_network()})
good("fit-with-its-best-network", resumable)
counting = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"], seed=2**64 - 1)  # counts that need more than 32 bits
counting.words.update({"steps": "5000000000", "fit": position(
    seed=10**15 - 1, step=5 * 10**9, loss_sum=0, rows=0, rate_factor=1, waited=100, plateau_waited=100, data=(4, 2))})
good("counts-of-64-bits", counting)
streamed = Model([2, 2, 1], ["tanh", "identity"], ["none", "none"])  # in its third epoch, with one step of 4 rows
streamed.words.update({"fit": position(rows=4, stream=(2, 1, 0))})
good("fit-from-a-stream", streamed)
streamed.words.update({"fit": position(rows=4, data=(0, 4), stream=(2, 1, 0))})
good("fit-from-a-stream-with-its-batch-size", streamed)
lossy = Model([2, 3, 1], ["relu", "identity"], ["none", "none"])  # predicts, although the loss is not registered
lossy.words.update({"loss": "cubed_error", "loss.target_columns": "2", "fit": position(data=(12, 4))})
good("fit-of-an-unknown-loss", lossy)
hosted = Model([2, 3, 1], ["relu", "logistic"], ["none", "none"])
hosted.words.update({"dropout": "0.5,0", "metadata.classes": 'cat, d\\u00f6g \\n \\"quoted\\"', "metadata.sigma": "\u03c3"})
good("metadata-and-dropout", hosted)
frozen = Model([2, 3, 1], ["relu", "logistic"], ["on", "none"])
frozen.words["trainable"] = "no,yes"
good("frozen", frozen)
model = Model([2, 3, 1], ["tanh", "identity"], ["on", "none"])
good("spaces-and-escapes", model, model.header.replace('","loss":"squared_error"', '" ,\n\t"loss" : "squared\\u005ferror"') + "   ")

header, data = model.header, model.data


def lie(name, message, old, new, status="CORRUPT", data=data):
    """A file with a correct checksum and a changed header."""
    assert header.count(old) == 1, (name, old)
    bad(name, seal(header.replace(old, new), data), status, message)


whole = seal(header, data)
flipped = lambda at: whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
foreign = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'

# Another kind of file, another version
bad("empty", b"", "NOT_A_MODEL", "not a model")
bad("text", b"hello, world\n", "NOT_A_MODEL", "not a model")
bad("foreign-safetensors", struct.pack("<Q", len(foreign)) + foreign + bytes(4), "NOT_A_MODEL", "not a model")
bad("length-only", whole[:8], "NOT_A_MODEL", "not a model")
bad("version-2", seal(header.replace('version":"1"', 'version":"2"'), data), "VERSION", "format version 2; this library reads version 1")
bad("version-none", seal(header.replace('version":"1"', 'version":"x"'), data), "CORRUPT", "has no format version")

# Truncated or changed files
bad("cut-in-header", whole[:200], "CORRUPT", "truncated: its header has more than 200 bytes")
bad("cut-in-data", whole[:-5], "CORRUPT", "tensors need 100 bytes, but its data have 95")
bad("changed-number", flipped(len(whole) - 3), "CORRUPT", "is not the stored one")
bad("changed-word", flipped(whole.index(b"squared")), "CORRUPT", "is not the stored one")
bad("changed-checksum", flipped(8 + len(OPENING) + 20), "CORRUPT", "is not the stored one")
bad("byte-too-many", whole + b"\0", "CORRUPT", "tensors need 100 bytes, but its data have 101")
bad("length-past-end", struct.pack("<Q", len(whole)) + whole[8:], "CORRUPT", "its header has more than")
bad("length-2-to-63", struct.pack("<Q", 1 << 63) + whole[8:], "CORRUPT", "its header has more than")
bad("length-all-ones", b"\xff" * 8 + whole[8:], "CORRUPT", "its header has more than")

# The checksum is correct from here on. Data of a wrong size
bad("data-too-short", seal(header, data[:-4]), "CORRUPT", "its data have 96")
bad("data-too-long", seal(header, data + bytes(4)), "CORRUPT", "its data have 104")
for name, place, value in (("nan", 0, math.nan), ("infinity", 6, -math.inf)):
    changed = data[:4 * place] + struct.pack("<f", value) + data[4 * place + 4:]
    bad(f"{name}-weight", seal(header, changed), "CORRUPT", "contains a NaN, an infinity or a negative variance")
variance = 6 + 3 + 3 * 3
bad("negative-variance", seal(header, data[:4 * variance] + struct.pack("<f", -0.5) + data[4 * variance + 4:]), "CORRUPT",
    '"layers.1.norm.running_var" [3] contains')

# Keys and values
lie("layers-fewer", "lists of layers differ", '"2,3,1"', '"2,3"')
lie("layers-empty", '"layers" is malformed', '"2,3,1"', '""')
lie("layers-zero", '"layers" is malformed', '"2,3,1"', '"2,0,1"')
lie("layers-negative", '"layers" is malformed', '"2,3,1"', '"2,-3,1"')
lie("layers-other", "data does not match its layers", '"2,3,1"', '"2,4,1"')
lie("layers-beyond-counting", '"layers" is malformed', '"2,3,1"', '"2,18446744073709551617,1"')
lie("layers-beyond-memory", "data does not match its layers", '"2,3,1"', '"2,1000000000,1"')
lie("activations-fewer", "lists of layers differ", '"tanh,identity"', '"tanh"')
lie("activation-unknown", 'not registered: "nonsense"', '"tanh,identity"', '"tanh,nonsense"', "UNKNOWN_NAME")
lie("batchnorm-word", '"batchnorm" is malformed', '"on,none"', '"yes,none"')
lie("batchnorm-missing", "data does not match its layers", '"on,none"', '"none,none"')
lie("loss-name", '"loss" is malformed', '"squared_error"', '"Squared error"')
lie("loss-columns", '"loss" is malformed', '"squared_error"', f'"mine","loss.target_columns":"{1 << 40}"')
lie("loss-columns-word", '"loss.target_columns" is malformed', '"squared_error"', '"mine","loss.target_columns":"two"')
lie("seed-negative", '"seed" is malformed', '"seed":"7"', '"seed":"-7"')
lie("steps-beyond-64-bits", '"steps" is malformed', '"steps":"3"', '"steps":"18446744073709551616"')
lie("pristine-word", '"pristine" is malformed', '"pristine":"no"', '"pristine":"perhaps"')
lie("random-zero", '"random" is malformed', model.words["random"], ",".join(["0" * 16] * 4))
lie("random-three-words", '"random" is malformed', model.words["random"], model.words["random"][:50])
lie("option-out-of-range", '"option.batchnorm_epsilon" is malformed', '"steps":"3"', '"steps":"3","option.batchnorm_epsilon":"2"')
lie("option-nan", '"option.batchnorm_epsilon" is malformed', '"steps":"3"', '"steps":"3","option.batchnorm_epsilon":"nan"')
lie("option-with-nul", '"option.batchnorm_epsilon" is malformed', '"steps":"3"', '"steps":"3","option.batchnorm_epsilon":"1\\u0000"')
lie("key-missing", '"loss" is not in the file', ',"loss":"squared_error"', "")
lie("key-unknown", '"lost" is not known to this library', '"steps":"3"', '"steps":"3","lost":"squared_error"')
lie("key-twice", '"seed" is in the file twice', '"steps":"3"', '"steps":"3","seed":"7"')
lie("key-with-control-character", "header is not valid", '"steps":"3"', '"steps":"3","a\nb":""')
more = lambda name, message, words: lie(name, message, '"steps":"3"', f'"steps":"3",{words}')
more("optimizer-unknown", '"optimizer" is malformed', '"optimizer":"magic"')
more("optimizer-steps-word", '"optimizer.steps" is malformed', '"optimizer":"adam","optimizer.steps":"many"')
more("optimizer-state-missing", "data does not match its layers", '"optimizer":"adam","optimizer.steps":"3"')
more("optimizer-history-missing", "data does not match its layers", '"optimizer":"lbfgs","optimizer.steps":"3"')
more("optimizer-numbers-missing", "data does not match its layers", '"optimizer":"levenberg_marquardt","optimizer.steps":"3"')
more("scaling-unknown", '"scaling.inputs" is malformed', '"scaling.inputs":"logarithm"')
more("scaling-missing", "data does not match its layers", '"scaling.inputs":"standard"')
more("scaling-remainder-of-none", '"scaling.inputs" is malformed', '"scaling.inputs":"none+remainder"')
more("scaling-remainder-missing", "data does not match its layers", '"scaling.targets":"min_max+remainder"')
more("dropout-fewer", '"dropout" is malformed', '"dropout":"0"')
more("dropout-of-the-outputs", '"dropout" is malformed', '"dropout":"0,0.5"')
more("dropout-out-of-range", '"dropout" is malformed', '"dropout":"1.5,0"')
more("trainable-fewer", '"trainable" is malformed', '"trainable":"no"')
more("trainable-word", '"trainable" is malformed', '"trainable":"no,maybe"')
more("metadata-with-nul", '"metadata.a" is malformed', '"metadata.a":"b\\u0000"')
more("metadata-without-key", '"metadata." is malformed', '"metadata.":"b"')
more("fit-short", '"fit" is malformed', '"fit":"0123456789abcdef"')
reach = (1 << 64) - 1
more("optimizer-steps-beyond-reach", '"optimizer.steps" is malformed', f'"optimizer":"adam","optimizer.steps":"{reach}"')
lie("steps-beyond-reach", '"steps" is malformed', '"steps":"3"', f'"steps":"{reach}"')
for name, words in (
        ("restart", {"restart": 10_000}), ("step", {"step": reach}), ("step-of-none", {"step": 0, "waited": 0, "plateau_waited": 0}),
        ("rows", {"rows": 1 << 63}), ("sum-of-no-rows", {"rows": 0}), ("sum-infinite", {"loss_sum": math.inf}), ("sum", {"loss_sum": 1e300}),
        ("sum-nan", {"loss_sum": math.nan}), ("rate-negative", {"rate_factor": -0.5}), ("rate-above-1", {"rate_factor": 1.5}),
        ("rate-nan", {"rate_factor": math.nan}), ("loss-infinite", {"loss": math.inf}), ("loss", {"loss": -1e39}),
        ("best-nan", {"best": math.nan}), ("best", {"best": -math.inf}), ("waited", {"waited": reach}), ("plateau", {"plateau_waited": reach})):
    more(f"fit-{name}", '"fit" is malformed', f'"fit":"{position(**words)}"')
for name, words in (  # 5 steps, 1 row in the epoch in progress
        ("short", (2,)), ("long", (2, 1, 0, 0)), ("epoch", (6, 1, 0)), ("batch", (3, 3, 0)), ("batch-of-none", (2, 0, 0)),
        ("ended", (2, 1, 2)), ("epoch-beyond-reach", (reach, 1, 0)), ("batch-beyond-reach", (1, reach, 0))):
    more(f"fit-stream-{name}", '"fit" is malformed', f'"fit":"{position(stream=words)}"')
more("fit-stream-ended-without-rows", '"fit" is malformed',
     f'"fit":"{position(loss_sum=0.0, rows=0, stream=(2, 0, 1))}"')
more("fit-stream-best-of-arrays", '"fit.best" is malformed',
     f'"fit":"{position(stream=(2, 1, 0))}","fit.best":"{best_network()}"')
more("fit-best-data-missing", "data does not match its layers", f'"fit":"{position()}","fit.best":"{best_network(optimizer_steps=0)}"')
for name, words in (
        ("random-zero", {"random": (0, 0, 0, 0)}), ("steps", {"steps": reach}), ("optimizer-steps", {"optimizer_steps": reach}),
        ("pristine", {"pristine": 2}), ("step", {"step": reach}), ("rate", {"rate_factor": 2.0})):
    more(f"fit-best-{name}", '"fit.best" is malformed', f'"fit":"{position()}","fit.best":"{best_network(**words)}"')
more("fit-best-short", '"fit.best" is malformed', f'"fit":"{position()}","fit.best":"0123456789abcdef"')
more("fit-best-is-the-network", '"fit.best" is malformed',
     f'"fit":"{position()}","fit.best":"{",".join(best_network().split(",")[:7] + [position()])}"')
more("fit-best-without-fit", '"fit.best" is not known to this library', f'"fit.best":"{best_network()}"')
resilient = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
resilient.words.update({"optimizer": "irprop_minus", "optimizer.steps": "3"})
own = resilient.tensors
for name, size in (("good", 0.5), ("step-size-above-50", 1e30), ("step-size-of-zero", 0.0), ("step-size-nan", math.nan)):
    resilient.tensors = own + [(f"optimizer.{slot}.{tensor}", shape, [v for _ in values]) for slot, v in (("gradient", 0.25), ("step_size", size))
                               for tensor, shape, values in own]
    if name == "good":
        good("step-sizes", resilient)
    else:
        bad(name, seal(resilient.header, resilient.data), "CORRUPT", "contains a step size that is not between 1e-6 and 50")
for name, source, tensor, message in (
        ("negative-second-moment", optimized, 4, '"optimizer.second_moment.layers.1.weight" [3,2] contains'),
        ("negative-state", damped, 4, '"optimizer.state" [4] contains'),
        ("scale-of-zero", scaled, 5, "is not above 0")):
    changed = Model([2, 3, 1], ["tanh", "identity"], ["none", "none"])
    changed.words, changed.tensors = source.words, [(n, s, list(v)) for n, s, v in source.tensors]
    changed.tensors[tensor][2][0] = -1 if tensor == 4 else 0
    bad(name, seal(changed.header, changed.data), "CORRUPT", message)
layers = 1025
long = Model([1, 1], ["identity"], ["none"])
long.words.update(layers=",".join(["1"] * (layers + 1)), activations=",".join(["relu"] * layers), batchnorm=",".join(["none"] * layers))
long.tensors.append(("rest", [2 * layers - 2], [0] * (2 * layers - 2)))
bad("layers-too-many", seal(long.header, long.data), "LIMIT", "at most 1024 layers")

# Tensors
lie("tensor-missing", "has 7 tensors, but needs 8", ',"layers.1.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]}', "")
lie("tensor-more", "has 9 tensors, but needs 8", '[96,100]}', '[96,100]},"more":{"dtype":"F32","shape":[0],"data_offsets":[100,100]}')
lie("tensor-name", "is not the expected", "layers.2.bias", "layers.2.base")
lie("tensor-twice", "is not the expected", "layers.2.bias", "layers.2.weight")
lie("tensor-type", "is not the expected", '"F32","shape":[3,2]', '"I32","shape":[3,2]')
lie("tensor-shape", "is not the expected", "[3,2]", "[2,3]")
lie("tensor-shape-of-nine", "is not the expected", "[3,2]", "[1,1,1,1,1,1,1,1,6]")
lie("tensor-shape-of-sixty-five", "header is not valid", "[3,2]", "[" + "1," * 64 + "6]")
lie("tensor-shape-beyond-counting", "header is not valid", "[3,2]", "[3,9223372036854775808]")
lie("tensors-out-of-order", "is not the expected", '"layers.1.norm.weight"', '"layers.1.norm.bias"')
lie("offsets-gap", "is not the expected", "[24,36]", "[28,40]")
lie("offsets-overlap", "is not the expected", "[24,36]", "[20,32]")
lie("offsets-backwards", "is not the expected", "[24,36]", "[36,24]")
lie("offsets-past-end", "its data have 100", "[96,100]", "[96,104]")
lie("offsets-near-2-to-58", "its data have 100", "[96,100]", "[288230376151711739,288230376151711743]")
lie("offsets-beyond-counting", "header is not valid", "[96,100]", "[96,18446744073709551716]")
lie("offsets-negative", "header is not valid", "[0,24]", "[-24,0]")
lie("offsets-of-three", "header is not valid", "[0,24]", "[0,24,24]")
lie("tensor-without-shape", "header is not valid", '"shape":[3,2],', "")
lie("tensor-with-a-field-twice", "header is not valid", '"shape":[3,2],', '"shape":[3,2],"shape":[3,2],')
lie("tensor-with-another-field", "fields that this library does not know", '"shape":[3,2],', '"shape":[3,2],"device":"cpu",')

# JSON
bad("json-not-closed", seal(header[:-1], data), "CORRUPT", "header is not valid")
bad("json-text-behind", seal(header + " {}", data), "CORRUPT", "header is not valid")
bad("json-metadata-twice", seal(header[:-1] + ',"__metadata__":{}}', data), "CORRUPT", '"__metadata__" twice')
lie("json-number-for-a-string", "header is not valid", '"steps":"3"', '"steps":3')
lie("json-null-for-a-string", "header is not valid", '"steps":"3"', '"steps":null')
lie("json-object-for-a-string", "header is not valid", '"steps":"3"', '"steps":{"steps":"3"}')
lie("json-deep", "header is not valid", '"steps":"3"', '"steps":' + "[" * 5000 + "]" * 5000)
lie("json-deep-objects", "header is not valid", "[0,24]", '{"a":' * 2000 + "1" + "}" * 2000)
lie("json-bad-escape", "header is not valid", "squared_error", "squared\\_error")
lie("json-lone-surrogate", "header is not valid", "squared_error", "\\ud800")
lie("json-leading-zero", "header is not valid", "[0,24]", "[00,24]")
bad("not-utf-8", seal(header.encode().replace(b"squared_error", b"squared\xfferror"), data), "CORRUPT", "header is not valid")
bad("overlong-utf-8", seal(header.encode().replace(b"squared_error", b"squared\xc0\x80error"), data), "CORRUPT", "header is not valid")

lines = (HERE / "manifest.txt").read_text().splitlines() if (HERE / "manifest.txt").exists() else []
old = [line for line in lines if line.startswith("old/")]
(HERE / "manifest.txt").write_text("\n".join(old + manifest["good"] + manifest["bad"]) + "\n")
print(len(old), "old,", len(manifest["good"]), "good,", len(manifest["bad"]), "bad")
