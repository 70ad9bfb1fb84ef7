/// The options of a network.
enum NetworkOption: Int, OptionKey {
    case gradientReduction, initialization, batchnormEpsilon, batchnormMomentum, batchnormUpdate

    static var owner: OptionDescription.Owner { .network }

    var description: OptionDescription {
        switch self {
        case .gradientReduction:
            Self.whole(
                "gradient_reduction", 0, 0...1,
                "loss and gradient of a minibatch: 0 the sum over its rows (notes, section 4), 1 their mean")
        case .initialization:
            Self.whole(
                "initialization", 0, 0...3,
                """
                random weights, uniform in [-r, r]: 1 Glorot, r^2 = 6 / (inputs + outputs); 2 He, r^2 = 6 / inputs; \
                3 LeCun, r^2 = 3 / inputs; 0 chooses He for relu, leaky_relu, elu, softplus, silu and gelu, and Glorot \
                for all others. Takes effect as an activation does
                """)
        case .batchnormEpsilon:
            Self.number("batchnorm_epsilon", 1e-5, 1e-12...1, "added to the variance")
        case .batchnormMomentum:
            Self.number("batchnorm_momentum", 0.1, 0...1, "how far a minibatch moves the running statistics")
        case .batchnormUpdate:
            Self.whole(
                "batchnorm_update", 0, 0...1,
                """
                0 all parameters step along one gradient; 1 gamma and beta step first, and the layer's weights step \
                along the gradient through the new gamma (notes, section 5). For train_step and train_minibatch
                """)
        }
    }
}
