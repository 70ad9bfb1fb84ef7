/// The options of a network.
enum NetworkOption: Int, OptionKey {
    case gradientReduction, initialization, batchnormEpsilon, batchnormMomentum, batchnormUpdate
    case momentum, beta1, beta2, rmspropAlpha, epsilon, weightDecay, l1, decayBiases, clipNorm, clipValue
    case huberDelta, quantile, missingTargets
    case lbfgsHistory, damping, dampingLimit

    static var owner: OptionDescription.Owner { .network }

    var description: OptionDescription {
        switch self {
        case .gradientReduction:
            Self.choice(
                "gradient_reduction", "sum mean",
                "loss and gradient of a minibatch: 0 the sum over its rows (notes, section 4); 1 the mean over its rows")
        case .initialization:
            Self.choice(
                "initialization", "automatic glorot he lecun",
                """
                random weights, uniform in [-r, r]: 0 automatic, 2 for relu, leaky_relu, elu, softplus, silu, gelu, mish, \
                hard_swish, relu6 and sine, 3 for selu, and 1 for all others; 1 Glorot, r^2 = 6 / (inputs + outputs); \
                2 He, r^2 = 6 / inputs; 3 LeCun, r^2 = 3 / inputs. Until the network is first trained or given \
                parameters, setting it draws the weights again
                """)
        case .batchnormEpsilon:
            Self.number("batchnorm_epsilon", 1e-5, 1e-12...1, "batch normalization: added to the variance")
        case .batchnormMomentum:
            Self.number(
                "batchnorm_momentum", 0.1, 0...1,
                """
                batch normalization: the part of a minibatch's statistics in the new running statistics, which keep \
                1 - batchnorm_momentum of the old ones
                """)
        case .batchnormUpdate:
            Self.choice(
                "batchnorm_update", "together gamma_first",
                """
                0 all parameters step along one gradient; 1 gamma and beta step first, then the layer's weights step along \
                the gradient through the new gamma (notes, section 5). 1 needs optimizer sgd, and weight_decay, l1, \
                clip_norm and clip_value 0; it has no effect on bp_network_gradient and bp_network_apply_gradient
                """)
        case .momentum:
            Self.number("momentum", 0.9, 0...0.9999, "momentum, nesterov: the part of the previous step that the next step keeps")
        case .beta1:
            Self.number("beta1", 0.9, 0...0.999999, "adam, adamw: decay rate of the moving average of gradients")
        case .beta2:
            Self.number("beta2", 0.999, 0...0.999999, "adam, adamw: decay rate of the moving average of squared gradients")
        case .rmspropAlpha:
            Self.number("rmsprop_alpha", 0.99, 0...0.999999, "rmsprop: decay rate of the moving average of squared gradients")
        case .epsilon:
            Self.number(
                "epsilon", 1e-8, 1e-12...1,
                "rmsprop, adam, adamw: added to the square root of the moving average of squared gradients")
        case .weightDecay:
            Self.number(
                "weight_decay", 0, 0...1e6,
                """
                weight_decay * w is added to the gradient of each weight w; with adamw, w is instead multiplied by \
                1 - learning rate * weight_decay
                """)
        case .l1:
            Self.number("l1", 0, 0...1e6, "l1 * sign(w) is added to the gradient of each weight w")
        case .decayBiases:
            Self.whole(
                "decay_biases", 0, 0...1, "whether weight_decay and l1 also apply to biases, gamma and beta: 0 no; 1 yes")
        case .clipNorm:
            Self.number(
                "clip_norm", 0, 0...1e30,
                "the gradient of all parameters together is scaled down to this norm if its norm is larger; 0: no bound")
        case .clipValue:
            Self.number(
                "clip_value", 0, 0...1e30,
                "each element of the gradient is then limited to the range from -clip_value to clip_value; 0: no bound")
        case .huberDelta:
            Self.number(
                "huber_delta", 1, 1e-6...1e6,
                "loss huber: it is quadratic for errors up to huber_delta, and linear beyond")
        case .quantile:
            Self.number(
                "quantile", 0.5, 0.001...0.999,
                "loss quantile: the quantile of the targets that the outputs estimate; 0.5 the median")
        case .missingTargets:
            Self.whole(
                "missing_targets", 0, 0...1,
                "a NaN among the targets: 0 is refused; 1 means not observed, and the target counts for nothing")
        case .lbfgsHistory:
            Self.whole("lbfgs_history", 10, 1...100, "lbfgs: the number of latest steps from which it estimates the curvature")
        case .damping:
            Self.number(
                "damping", 1e-3, 1e-12...1e6,
                """
                levenberg_marquardt, bayesian_regularization: the damping of the first step, as a multiple of the largest \
                diagonal element of J'J
                """)
        case .dampingLimit:
            Self.number(
                "damping_limit", 1e10, 1...1e30,
                """
                levenberg_marquardt, bayesian_regularization: the damping, as a multiple of the same element, above which a \
                step ends without a change
                """)
        }
    }
}
