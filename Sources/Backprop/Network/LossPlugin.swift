/// A loss of the host: a function of all rows of a call.
public final class LossPlugin: Plugin, @unchecked Sendable {
    /// From outputs, [rows × outputs], and targets, [rows × targets], computes the losses, [rows], and their gradients
    /// with respect to the outputs, [rows × outputs], unless that pointer is nil. Returns 0, or the host's error code.
    package typealias Function = (
        _ outputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, _ losses: UnsafeMutablePointer<Double>,
        _ gradients: UnsafeMutablePointer<Float>?, _ rows: Int, _ outputCount: Int, _ targetCount: Int
    ) -> Int32

    /// The size of a row of targets; 0 for the number of outputs.
    let targetColumns: Int
    /// nil for the loss of a file that was not registered when the file was loaded.
    private let function: Function?

    private init(
        _ name: String, targetColumns: Int, _ function: Function?, libraries: [SharedObject], destroy: (() -> Void)?
    ) {
        self.targetColumns = targetColumns
        self.function = function
        super.init(name: name, subject: .loss, libraries: libraries, destroy: destroy)
    }

    package static func make(
        _ name: String, targetColumns: Int, libraries: [SharedObject] = [], destroy: (() -> Void)? = nil,
        _ function: @escaping Function
    ) throws(BackpropError) -> LossPlugin {
        guard targetColumns >= 0, targetColumns < mostColumns else {
            throw BackpropError(.limit, "target_columns, \(UInt(bitPattern: targetColumns)), is too large")
        }
        return LossPlugin(name, targetColumns: targetColumns, function, libraries: libraries, destroy: destroy)
    }

    /// A loss of a file. Calls that need it fail until the host has registered a loss of this name and these target columns.
    static func unregistered(_ name: String, targetColumns: Int) -> LossPlugin {
        LossPlugin(name, targetColumns: targetColumns, nil, libraries: [], destroy: nil)
    }

    /// This loss; for a loss of a file that was not registered then, the one that is registered now.
    @discardableResult
    func requireRegistered(outputs: Int) throws(BackpropError) -> LossPlugin {
        if function != nil { return self }
        let found = PluginRegistry.find(name, .loss) { unsafeDowncast($0, to: LossPlugin.self) }
        if let found, found.targetCount(outputs: outputs) == targetCount(outputs: outputs) { return found }
        throw BackpropError(
            .unknownName,
            "the model's loss \"\(name)\" with target_columns \(targetColumns) is not registered: register it, or set another")
    }

    func targetCount(outputs: Int) -> Int { targetColumns == 0 ? outputs : targetColumns }

    func compute(
        _ outputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Double>,
        gradients: UnsafeMutablePointer<Float>?, rows: Int, outputCount: Int
    ) throws(BackpropError) {
        let loss = try requireRegistered(outputs: outputCount)
        guard let function = loss.function else { return }
        let code = HostEnvironment().run {
            function(outputs, targets, losses, gradients, rows, outputCount, targetCount(outputs: outputCount))
        }
        if code != 0 { throw loss.callbackError(code) }
    }
}
