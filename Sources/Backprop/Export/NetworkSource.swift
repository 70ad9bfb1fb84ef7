extension Handle where Object == NetworkState {
    /// Writes source code that computes the network's predictions, with weights of 32 or 8 bits. An existing file stays until the
    /// new one is on the disk. `name`: the prefix of all names in C, the type in Swift. `folded`: with batch normalization and
    /// scaling in the weights.
    package func export(
        swift: Bool, to path: CString, name: String, weightBits: Int, folded: Bool
    ) throws(BackpropError) {
        try requireNotEmpty(path)
        try requireName(name, isType: swift)
        guard weightBits == 32 || weightBits == 8 else {
            throw BackpropError(.invalidValue, "weights of \(weightBits) bits are not supported, only of 32 or 8")
        }
        var source: NetworkSource?
        try visit(changes: false) { (state) throws(BackpropError) in
            // Weights of 8 bits with one scale for each unit cannot hold the different scales of inputs.
            let network = folded ? try state.folded(keepsInputScaling: weightBits == 8) : state
            source = try NetworkSource(network, of: state, isSwift: swift, name, has8Bits: weightBits == 8)
        }
        try source?.text.save(to: path)
    }
}

/// Checks the prefix of C names, or the name of a Swift type. A type begins with a capital letter, so it is no keyword.
private func requireName(_ name: String, isType: Bool) throws(BackpropError) {
    var count = 0, isName = true
    for byte in Text("\(name)").bytes {
        let letter = byte | 0x20
        let isLetter = letter >= 0x61 && letter <= 0x7A
        let isOther = byte == 0x5F || byte >= 0x30 && byte <= 0x39
        if !(isLetter || isOther && count > 0) || isType && count == 0 && byte > 0x60 { isName = false }
        count += 1
    }
    guard isName, count > 0, count <= 64 else {
        throw BackpropError(
            .invalidValue,
            "\"\(name)\" must be a \(isType ? "capital " : "")letter and at most 63 letters, digits and underscores")
    }
}

/// A network as source code: a comment, functions, numbers, and the function that predicts.
private struct NetworkSource: ~Copyable {
    private(set) var text: SourceText
    private let network: NetworkState
    private let has8Bits: Bool

    /// `original`: another network if this one is folded.
    init(
        _ network: NetworkState, of original: NetworkState, isSwift: Bool, _ name: String, has8Bits: Bool
    ) throws(BackpropError) {
        text = SourceText(network, isSwift: isSwift, prefix: name)
        self.network = network
        self.has8Bits = has8Bits
        try Reserve.require(forLayers: network.layers.count, texts: network.metadataBytes)
        try writeComment(original)
        writeOpening()
        SourceFormulas.write(calledBy: calls, to: &text)
        try writeNumbers()
        writePredict()
        try text.requireComplete()
    }

    // MARK: The comment and declarations

    private mutating func writeComment(_ original: NetworkState) throws(BackpropError) {
        text.either("/* A network, exported by libbackprop: {i} inputs|// A network, exported by libbackprop: {i} inputs")
        forEachLayer { text, _ in text.write(", {u} {f}") }
        let isFolded = network !== original
        if has8Bits || isFolded {
            let difference = try original.largestDifference(from: has8Bits ? try network.quantized() : network)
            text.comment("\n\n")
            if isFolded { text.write("Batch normalization and scaling are folded into the weights. ") }
            if has8Bits { text.write("The weights have 8 bits. ") }
            text.write("The outputs differ from the network's by at most ")
            text.comment("\(decimal(difference)), for \(NetworkState.sampledRows)")
            text.write(" pseudo-random rows of scaled inputs from -1 to 1.")
        }
        for (key, value) in network.userMetadata where !key.isSame(as: "history") {
            text.comment("\n\n\(key): ")
            text.comment("\(value)")
        }
        text.either("\n */\n|\n\n")
    }

    private mutating func writeOpening() {
        text.either(
            """
            #include <math.h>
            #include <stdint.h>
            #include <string.h>

            #if defined(__clang__)
            #pragma STDC FP_CONTRACT OFF
            #elif defined(__GNUC__)
            #pragma GCC push_options
            #pragma GCC optimize ("fp-contract=off", "no-trapping-math")
            #endif
            #ifdef __cplusplus
            #define `extern extern "C"
            #else
            #define `extern extern
            #endif

            `extern void `predict(const float *input, float *output);
            |#if canImport(Darwin)
            import Darwin
            #elseif canImport(Musl)
            import Musl
            #elseif canImport(Glibc)
            import Glibc
            #endif

            """)
        forEachLayer { text, layer in
            if layer.activation.isMatrixFunction {
                text.either(
                    """
                    `extern void {g}(const float *z, float *a, int count); /* defined by the program */
                    |// The program defines func {g}(_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ count: Int)

                    """)
            } else if layer.activation.isPlugin {
                text.either(
                    "`extern float {g}(float z); /* defined by the program */\n|// The program defines func {g}(_ z: Float) -> Float\n"
                )
            }
        }
        text.layer = 1
        text.either("enum { `inputs = {i}, `outputs = |\nenum {p} {\nstatic let inputs = {i}, outputs = ")
        text.layer = network.layers.count
        text.either("{u} };\n\n|{u}\n\n")
    }

    /// The functions that the prediction calls.
    private var calls: Text {
        var calls: Text = has8Bits ? "`sums8(" : "`sums("
        for layer in network.layers { calls += "`\(layer.activationName)(" }
        return calls
    }

    // MARK: Numbers

    private mutating func writeNumbers() throws(BackpropError) {
        if let scaling = network.inputScaling {
            text.array("input_offsets", scaling.offset.base, scaling.columns)
            text.array("input_scales", scaling.scale.base, scaling.columns)
        }
        for index in network.layers.indices { try writeNumbers(ofLayer: index) }
        if let scaling = network.targetScaling {
            text.array("target_offsets", scaling.offset.base, scaling.columns)
            text.array("target_scales", scaling.scale.base, scaling.columns)
        }
    }

    /// Weights are [inputs × units]: the loop over units then has consecutive addresses and independent sums.
    private mutating func writeNumbers(ofLayer index: Int) throws(BackpropError) {
        let layer = network.layers[index], units = layer.outputs
        let scales = try layer.weightScales(), values = try Floats(try checkedProduct(layer.inputs + 1, units))
        for input in 0..<layer.inputs {
            for unit in 0..<units {
                values.base[input * units + unit] =
                    has8Bits
                    ? layer.integer(output: unit, input: input, scale: scales.base[unit])
                    : layer.weights.base[layer.index(output: unit, input: input)]
            }
        }
        text.layer = index + 1
        text.array("weights{n}", values.base, layer.inputs * units, areIntegers: has8Bits)
        if has8Bits { text.array("scales{n}", scales.base, units) }
        layer.copyBiases(layer.weights.base, to: values.base)
        text.array("biases{n}", values.base, units)
        guard let norm = layer.norm else { return }
        network.scaleAndShift(norm, columns: units, values.base, scales.base)
        text.array("gains{n}", values.base, units)
        text.array("shifts{n}", scales.base, units)
    }

    // MARK: The prediction

    private mutating func writePredict() {
        let layers = network.layers
        text.either(
            """
            void `predict(const float *input, float *output) {
            |static func predict(_ input: [Float]) -> [Float] {
            precondition(input.count == inputs)
            return [Float](unsafeUninitializedCapacity: outputs) { output, count in
            predict(input, output.baseAddress.unsafelyUnwrapped)
            count = outputs
            }
            }

            static func predict(_ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>) {

            """)
        text.layer = 1
        let isScaled = network.inputScaling != nil
        let hasArrays = isScaled || layers.count > 1 || layers[0].activation.isMatrixFunction
        if text.isSwift, hasArrays {
            text.write("withUnsafeTemporaryAllocation(of: Float.self, capacity: {i}")
            forEachLayer { text, _ in text.write(" + 2 * {u}") }
            text.write(") { buffer in\nvar next = buffer.baseAddress.unsafelyUnwrapped\n")
            text.layer = 1
        }
        if isScaled { text.either("float {x}[{i}];\n|let {x} = next\nnext += {i}\n") }
        forEachLayer { text, layer in
            if layer !== layers[layers.count - 1] { text.either("float {a}[{u}];\n|let {a} = next\nnext += {u}\n") }
            if layer.activation.isMatrixFunction { text.either("float {z}[{u}];\n|let {z} = next\nnext += {u}\n") }
        }
        text.layer = 1
        if isScaled { text.write("@j(0,{i}) { {x}[j] = (input[j] - `input_offsets[j]) / `input_scales[j]; }\n") }
        let sums: StaticString =
            has8Bits
            ? "`sums8({x}, {i}, `weights{n}, `scales{n}, `biases{n}, {z}, {u});\n"
            : "`sums({x}, {i}, `weights{n}, `biases{n}, {z}, {u});\n"
        forEachLayer { text, layer in
            text.write(sums)
            // Unless they are folded, batch normalization and scaling are separate operations, as in the library.
            if layer.isNormalized { text.write("@j(0,{u}) { {z}[j] = {z}[j] * `gains{n}[j] + `shifts{n}[j]; }\n") }
            switch layer.activation {
            case .builtIn(.identity): break
            case .builtIn(.softmax): text.write("`softmax({z}, {u});\n")
            case .builtIn: text.write("@j(0,{u}) { {z}[j] = `{f}({z}[j]); }\n")
            case .plugin(let plugin, _):
                text.write(
                    plugin.isMatrixFunction ? "{g}({z}, {a}, {u});\n" : "@j(0,{u}) { {z}[j] = {g}({z}[j]); }\n")
            }
        }
        if network.targetScaling != nil {
            text.write("@j(0,{u}) { output[j] = output[j] * `target_scales[j] + `target_offsets[j]; }\n")
        }
        if text.isSwift, hasArrays { text.write("}\n") }
        text.either(
            """
            }

            #undef `extern
            #ifndef __clang__
            #ifdef __GNUC__
            #pragma GCC pop_options
            #endif
            #endif
            |}
            }

            """)
    }

    /// Calls `body` with each layer, which is selected.
    private mutating func forEachLayer(_ body: (inout SourceText, Layer) -> Void) {
        for index in network.layers.indices {
            text.layer = index + 1
            body(&text, network.layers[index])
        }
    }
}
