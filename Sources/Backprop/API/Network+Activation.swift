extension Network {
    /// An activation: a built-in one, or a registered one by its name. `backprop.h` lists the formulas of the built-in
    /// activations at `bp_network_set_activation`.
    ///
    ///     try network.setActivation(.tanh, layer: 1)
    ///     try network.setActivation(.named("bump"), layer: 2)
    public struct Activation: Hashable, Sendable {
        /// The name of the activation, as in model files.
        public let name: String

        /// Returns the activation of that name, which need not be registered yet.
        public static func named(_ name: String) -> Activation { Activation(name: name) }

        public static var identity: Activation { Activation(.identity) }
        public static var sign: Activation { Activation(.sign) }
        public static var logistic: Activation { Activation(.logistic) }
        public static var tanh: Activation { Activation(.tanh) }
        public static var relu: Activation { Activation(.relu) }
        public static var leakyRelu: Activation { Activation(.leakyRelu) }
        public static var elu: Activation { Activation(.elu) }
        public static var softplus: Activation { Activation(.softplus) }
        public static var softsign: Activation { Activation(.softsign) }
        public static var silu: Activation { Activation(.silu) }
        public static var gelu: Activation { Activation(.gelu) }
        public static var selu: Activation { Activation(.selu) }
        public static var mish: Activation { Activation(.mish) }
        public static var hardSigmoid: Activation { Activation(.hardSigmoid) }
        public static var hardSwish: Activation { Activation(.hardSwish) }
        public static var relu6: Activation { Activation(.relu6) }
        public static var sine: Activation { Activation(.sine) }
        public static var gaussian: Activation { Activation(.gaussian) }
        public static var softmax: Activation { Activation(.softmax) }

        private init(name: String) { self.name = name }

        private init(_ function: BuiltInActivation) { name = function.name }
    }
}
