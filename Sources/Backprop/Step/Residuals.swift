import CPlatform

/// Losses as sums of squares. For the squared error, r = a − y. For a cross-entropy with its activation, the residuals have the
/// gradient of the loss and, as JᵀJ, the Gauss–Newton matrix Jᵀ H J, where H is the Hessian of the loss with respect to z
/// (Schraudolph 2002):
///
///     logistic:  H = a (1 − a),            r = (a − y) / √H,       ∂r = √H ∂z
///     softmax:   H = diag(a) − a aᵀ,       r = (a − y) / √a,       ∂r = √a (∂z − Σ a ∂z)
extension NetworkState {
    enum ResidualForm {
        case difference, logistic, softmax
    }

    /// nil if the loss is no sum of squares.
    var residualForm: ResidualForm? {
        if loss.is(.squaredError) { return .difference }
        guard loss.isFused(with: layers[layers.count - 1].activation) else { return nil }
        return loss.is(.crossEntropy) ? .softmax : .logistic
    }

    /// Stores, in δ of the last layer, the derivative of the residual of a row's output `k`: with respect to z for a
    /// cross-entropy, otherwise to a. Returns the residual; nil if it has no target or no weight. `row`: in the block of rows
    /// from `first` on.
    func startBackward(
        _ form: ResidualForm, _ k: Int, _ rows: TrainingRows, _ first: Int, _ row: Int, in workspace: Workspace
    ) -> Double? {
        let last = layers.count - 1, stride = layers[last].stride
        let a = workspace.layers[last].a.base + row * stride, delta = workspace.layers[last].delta.base + row * stride
        let y = rows.targets + (first + row) * targetCount
        let weight = (rows.weights?[first + row] ?? 1).squareRoot()
        cp_clear(delta, stride * 4)
        var total: Float = 1
        if form == .softmax {  // a missing target is 0
            total = 0
            for j in 0..<outputCount where y[j] == y[j] { total += y[j] }
        } else if y[k] != y[k] {
            return nil
        }
        var root: Float = 1
        switch form {
        case .difference: break
        case .logistic: root = max(a[k] * (1 - a[k]), 1e-12).squareRoot()
        case .softmax: root = max(a[k] * total, 1e-12).squareRoot()
        }
        delta[k] = weight * root
        if form == .softmax {
            for j in 0..<outputCount { delta[j] = weight * root * ((j == k ? 1 : 0) - a[j]) }
        }
        let target = y[k] == y[k] ? Double(y[k]) : 0
        return weight > 0 ? Double(weight) * (Double(a[k]) * Double(total) - target) / Double(root) : nil
    }
}
