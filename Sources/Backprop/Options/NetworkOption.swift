/// The options of a network.
enum NetworkOption: Int, OptionKey {
    case gradientReduction, initialization, batchnormEpsilon, batchnormMomentum, batchnormUpdate
    case momentum, beta1, beta2, rmspropAlpha, epsilon, weightDecay, l1, decayBiases, clipNorm, clipValue

    static var owner: OptionDescription.Owner { .network }

    var description: OptionDescription {
        switch self {
        case .gradientReduction:
            Self.choice(
                "gradient_reduction", "sum mean",
                "loss and gradient of a minibatch: 0 the sum over its rows (notes, section 4), 1 their mean")
        case .initialization:
            Self.choice(
                "initialization", "automatic glorot he lecun",
                """
                random weights, uniform in [-r, r]: 1 Glorot, r^2 = 6 / (inputs + outputs); 2 He, r^2 = 6 / inputs; \
                3 LeCun, r^2 = 3 / inputs; 0 automatic: He for relu, leaky_relu, elu, softplus, silu and gelu, and Glorot \
                for all others. Takes effect as an activation does
                """)
        case .batchnormEpsilon:
            Self.number("batchnorm_epsilon", 1e-5, 1e-12...1, "added to the variance")
        case .batchnormMomentum:
            Self.number("batchnorm_momentum", 0.1, 0...1, "how far a minibatch moves the running statistics")
        case .batchnormUpdate:
            Self.choice(
                "batchnorm_update", "together gamma_first",
                """
                0 all parameters step along one gradient; 1 gamma and beta step first, and the layer's weights step \
                along the gradient through the new gamma (notes, section 5). For train_step and train_minibatch, with optimizer sgd \
                and none of weight_decay, l1, clip_norm and clip_value
                """)
        case .momentum:
            Self.number("momentum", 0.9, 0...0.9999, "momentum, nesterov: how much of the last step the next one keeps")
        case .beta1:
            Self.number("beta1", 0.9, 0...0.999999, "adam, adamw: decay of the moving average of gradients")
        case .beta2:
            Self.number("beta2", 0.999, 0...0.999999, "adam, adamw: decay of the moving average of their squares")
        case .rmspropAlpha:
            Self.number("rmsprop_alpha", 0.99, 0...0.999999, "rmsprop: decay of the moving average of squares")
        case .epsilon:
            Self.number("epsilon", 1e-8, 1e-12...1, "rmsprop, adam, adamw: added to the root of that average")
        case .weightDecay:
            Self.number(
                "weight_decay", 0, 0...1e6,
                """
                weight_decay * w is added to the gradient of a weight w; with adamw, w is multiplied by \
                1 - learning rate * weight_decay instead
                """)
        case .l1:
            Self.number("l1", 0, 0...1e6, "l1 * sign(w) is added to the gradient of a weight w")
        case .decayBiases:
            Self.whole(
                "decay_biases", 0, 0...1, "whether weight_decay and l1 act on biases, gamma and beta too: 0 no, 1 yes")
        case .clipNorm:
            Self.number(
                "clip_norm", 0, 0...1e30,
                "gradients are scaled down, all alike, so that the norm of all of them is at most this; 0 for no bound")
        case .clipValue:
            Self.number(
                "clip_value", 0, 0...1e30,
                "afterwards each element of the gradient is kept between -clip_value and clip_value; 0 for no bound")
        }
    }
}
