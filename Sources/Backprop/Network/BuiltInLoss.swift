/// The built-in losses of one row with outputs a and targets y. Their formulas are in Step/LossFormulas.swift.
enum BuiltInLoss: Int, Selectable {
    case squaredError, binaryCrossEntropy, crossEntropy
    case absoluteError, huber, logCosh, quantile, poisson

    static var typeName: StaticString { "loss" }
    /// (smooth_l1 is huber where its parameter, beta, is 1.)
    static var synonyms: StaticString {
        """
        mse=squared_error l2=squared_error l2loss=squared_error meansquarederror=squared_error mseloss=squared_error
        bce=binary_cross_entropy bceloss=binary_cross_entropy binarycrossentropyloss=binary_cross_entropy
        logistic=binary_cross_entropy sigmoidcrossentropy=binary_cross_entropy ce=cross_entropy
        crossentropyloss=cross_entropy categoricalcrossentropy=cross_entropy sparsecategoricalcrossentropy=cross_entropy
        softmaxcrossentropy=cross_entropy nll=cross_entropy nllloss=cross_entropy logloss=cross_entropy
        mae=absolute_error l1=absolute_error l1loss=absolute_error meanabsoluteerror=absolute_error lad=absolute_error
        huberloss=huber smoothl1=huber smoothl1loss=huber pinball=quantile pinballloss=quantile quantileloss=quantile
        poissonnllloss=poisson poissonnll=poisson
        """
    }

    /// The name of the loss, as in model files.
    var name: String {
        switch self {
        case .squaredError: "squared_error"
        case .binaryCrossEntropy: "binary_cross_entropy"
        case .crossEntropy: "cross_entropy"
        case .absoluteError: "absolute_error"
        case .huber: "huber"
        case .logCosh: "log_cosh"
        case .quantile: "quantile"
        case .poisson: "poisson"
        }
    }

    /// Whether it is a function of the differences a − y, defined for all of them.
    var isOfDifferences: Bool {
        switch self {
        case .squaredError, .absoluteError, .huber, .logCosh, .quantile: true
        case .binaryCrossEntropy, .crossEntropy, .poisson: false
        }
    }

    /// The range of targets for which the loss is defined and has a minimum, with a tolerance for rounding.
    var targetRange: (least: Float, greatest: Float) {
        let rounding: Float = 1e-6
        return switch self {
        case .binaryCrossEntropy: (-rounding, 1 + rounding)
        case .crossEntropy, .poisson: (-rounding, .infinity)
        default: (-.infinity, .infinity)
        }
    }

    /// The activation of the last layer for which the loss is made; nil for any. The cross-entropies need theirs, which
    /// cancels their logarithm.
    var activation: BuiltInActivation? {
        switch self {
        case .binaryCrossEntropy: .logistic
        case .crossEntropy: .softmax
        case .poisson: .softplus
        default: nil
        }
    }
}
