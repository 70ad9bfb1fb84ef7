extension Network {
    /// A loss: a built-in one, or a registered one by its name. `backprop.h` lists the formulas of the built-in losses at
    /// `bp_network_set_loss`.
    ///
    ///     try network.setLoss(.huber)
    ///     try network.setLoss(.named("policy"))
    public struct Loss: Hashable, Sendable {
        /// The name of the loss, as in model files.
        public let name: String

        /// Returns the loss of that name, which need not be registered yet.
        public static func named(_ name: String) -> Loss { Loss(name: name) }

        public static var squaredError: Loss { Loss(.squaredError) }
        public static var binaryCrossEntropy: Loss { Loss(.binaryCrossEntropy) }
        public static var crossEntropy: Loss { Loss(.crossEntropy) }
        public static var absoluteError: Loss { Loss(.absoluteError) }
        public static var huber: Loss { Loss(.huber) }
        public static var logCosh: Loss { Loss(.logCosh) }
        public static var quantile: Loss { Loss(.quantile) }
        public static var poisson: Loss { Loss(.poisson) }

        private init(name: String) { self.name = name }

        private init(_ function: BuiltInLoss) { name = function.name }
    }

    /// Removes the name of a registered loss. Networks that use the loss keep it.
    ///
    /// - Throws: `.unknownName`; `.unsupported` for a built-in loss.
    public static func unregisterLoss(_ name: String) throws(BackpropError) {
        try PluginRegistry.losses.unregister(name)
    }

    /// Compares the gradient of a loss with differences of its values, at outputs and targets of the caller.
    ///
    /// - Parameters:
    ///   - name: The name of a registered loss.
    ///   - outputs: [rows × outputs], at least one row.
    ///   - targets: [rows × targets of a row].
    ///   - columns: The number of outputs.
    /// - Returns: The largest relative error; a correct gradient has one below 1e-2.
    /// - Throws: `.unknownName`; `.invalidValue` for arrays whose counts do not match; `.notFinite`; `.callback` if the
    ///   function fails; `.outOfMemory`.
    public static func checkLoss(
        _ name: String, outputs: [Float], targets: [Float], columns: Int
    ) throws(BackpropError) -> Double {
        guard columns > 0, outputs.count % columns == 0 else {
            throw BackpropError(.invalidValue, "outputs: \(outputs.count) numbers are not a multiple of \(columns) columns")
        }
        let rows = outputs.count / columns
        return try LossCheck.run(name, outputs, targets, targetCount: targets.count, rows: rows, columns: columns)
    }
}

#if !hasFeature(Embedded)
extension Network {
    /// Registers a loss for all networks of the process. An error that the closure throws fails the network's call with
    /// `BackpropError.Code.callback`, and is that error's `underlying`. The closure runs on the thread of that call.
    ///
    /// - Parameters:
    ///   - name: 1 to 64 characters of a-z, 0-9, '_', '.' and '-'.
    ///   - targetColumns: The size of a row of targets; 0 for the number of outputs.
    ///   - function: Computes the losses, [rows], and their gradients with respect to the outputs, [rows × outputs], unless
    ///     that is nil, from the outputs, [rows × outputs], and the targets, [rows × target columns], all row-major. A row's
    ///     loss must depend on this row only.
    /// - Throws: `.invalidValue` for a malformed name or one that is already registered; `.limit`; `.outOfMemory`.
    public static func registerLoss(
        _ name: String, targetColumns: Int = 0,
        function:
            @escaping @Sendable (
                _ outputs: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>,
                _ losses: UnsafeMutableBufferPointer<Double>, _ gradients: UnsafeMutableBufferPointer<Float>?
            ) throws -> Void
    ) throws(BackpropError) {
        let thrown = ThrownErrors()
        let plugin = try LossPlugin.make(name, targetColumns: targetColumns) {
            outputs, targets, losses, gradients, rows, outputCount, targetCount in
            thrown.code {
                try function(
                    .init(start: outputs, count: rows * outputCount), .init(start: targets, count: rows * targetCount),
                    .init(start: losses, count: rows), gradients.map { .init(start: $0, count: rows * outputCount) })
            }
        }
        plugin.thrown = thrown
        try PluginRegistry.losses.register(plugin)
    }
}
#endif
