import Backprop
import CBackprop

/// The second forms of the functions with rows, which take them in any type and layout.

@_cdecl("bp_network_train_rows") @implementation
public func bp_network_train_rows(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<bp_rows>!, _ targets: UnsafePointer<bp_rows>!,
    _ learning_rate: Float, _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        Float(try run(.train(rate: learning_rate), network, inputs, targets))
    }
}

@_cdecl("bp_network_predict_rows") @implementation
public func bp_network_predict_rows(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<bp_rows>!, _ outputs_out: UnsafeMutableRawPointer!, _ type: Int32,
    _ row_stride: Int, _ column_stride: Int
) -> Int32 {
    status { () throws(BackpropError) in
        _ = try run(.predict(outputs_out, type: type, row_stride, column_stride), network, inputs, nil)
    }
}

@_cdecl("bp_network_evaluate_rows") @implementation
public func bp_network_evaluate_rows(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<bp_rows>!, _ targets: UnsafePointer<bp_rows>!,
    _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(loss_out, "loss_out")
        out.pointee = Float(try run(.evaluate, network, inputs, targets))
    }
}

@_cdecl("bp_network_score_rows") @implementation
public func bp_network_score_rows(
    _ network: OpaquePointer!, _ measure: UnsafePointer<CChar>!, _ inputs: UnsafePointer<bp_rows>!,
    _ targets: UnsafePointer<bp_rows>!, _ score_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(score_out, "score_out")
        let measure = try text(measure, "measure")
        out.pointee = try run(.score(measure), network, inputs, targets)
    }
}

@_cdecl("bp_network_fit_scaling_rows") @implementation
public func bp_network_fit_scaling_rows(
    _ network: OpaquePointer!, _ input_scaling: UnsafePointer<CChar>!, _ target_scaling: UnsafePointer<CChar>!,
    _ inputs: UnsafePointer<bp_rows>!, _ targets: UnsafePointer<bp_rows>!
) -> Int32 {
    status { () throws(BackpropError) in
        let (x, y) = (try text(input_scaling, "input_scaling"), try text(target_scaling, "target_scaling"))
        _ = try run(.fitScaling(x, y), network, inputs, targets)
    }
}

@_cdecl("bp_network_add_scaling_rows") @implementation
public func bp_network_add_scaling_rows(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<bp_rows>!, _ targets: UnsafePointer<bp_rows>!
) -> Int32 {
    status { () throws(BackpropError) in
        _ = try run(.addScalingRows, network, inputs, targets)
    }
}

@_cdecl("bp_network_finish_scaling") @implementation
public func bp_network_finish_scaling(
    _ network: OpaquePointer!, _ input_scaling: UnsafePointer<CChar>!, _ target_scaling: UnsafePointer<CChar>!
) -> Int32 {
    status { () throws(BackpropError) in
        let (x, y) = (try text(input_scaling, "input_scaling"), try text(target_scaling, "target_scaling"))
        _ = try run(.finishScaling(x, y), network, nil, nil)
    }
}

@_cdecl("bp_trainer_fit_rows") @implementation
public func bp_trainer_fit_rows(
    _ trainer: OpaquePointer!, _ network: OpaquePointer!, _ inputs: UnsafePointer<bp_rows>!,
    _ targets: UnsafePointer<bp_rows>!, _ validation_inputs: UnsafePointer<bp_rows>!,
    _ validation_targets: UnsafePointer<bp_rows>!, _ loss_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    fit(trainer, network, .described(inputs, targets), .described(validation_inputs, validation_targets), loss_out)
}

@_cdecl("bp_trainer_fit_ensemble_rows") @implementation
public func bp_trainer_fit_ensemble_rows(
    _ trainer: OpaquePointer!, _ networks: UnsafePointer<OpaquePointer?>!, _ count: Int,
    _ learning_rates: UnsafePointer<Double>!, _ inputs: UnsafePointer<bp_rows>!, _ targets: UnsafePointer<bp_rows>!,
    _ validation_inputs: UnsafePointer<bp_rows>!, _ validation_targets: UnsafePointer<bp_rows>!,
    _ results_out: UnsafeMutablePointer<bp_fit_result>!
) -> Int32 {
    fitEnsemble(
        trainer, networks, count, learning_rates, .described(inputs, targets),
        .described(validation_inputs, validation_targets), results_out)
}

// MARK: Calls on a network

/// One visit of a network serves all calls, since the code of a visit is large.
private enum RowCall {
    case train(rate: Float)
    case predict(UnsafeMutableRawPointer?, type: Int32, Int, Int)
    case evaluate
    case score(String)
    case fitScaling(String, String)
    case addScalingRows
    case finishScaling(String, String)

    /// Whether workers make the call together.
    var isOfWorkers: Bool {
        switch self {
        case .train, .fitScaling, .finishScaling: true
        default: false
        }
    }

    var isConst: Bool {
        switch self {
        case .predict, .evaluate, .score: true
        default: false
        }
    }
}

/// Makes a call on the network of a handle. Returns the loss or the score; 0 if there is none.
@inline(never)
private func run(
    _ call: RowCall, _ network: OpaquePointer?, _ inputs: UnsafePointer<bp_rows>?, _ targets: UnsafePointer<bp_rows>?
) throws(BackpropError) -> Double {
    let handle = try Handle<NetworkState>(try require(network, "network"))
    let x: DescribedRows?, y: DescribedRows?
    do throws(BackpropError) {
        x = inputs == nil ? nil : try described(inputs, "inputs")
        y = targets == nil ? nil : try described(targets, "targets", areTargets: true)
    } catch {
        throw call.isOfWorkers ? refused(error, network) : error
    }
    var result = 0.0
    try handle.visit(changes: !call.isConst) { (state) throws(BackpropError) in result = try state.run(call, x, y) }
    return result
}

extension NetworkState {
    @inline(never)
    fileprivate func run(_ call: RowCall, _ x: DescribedRows?, _ y: DescribedRows?) throws(BackpropError) -> Double {
        switch call {
        case .fitScaling(let inputs, let targets): try fitScaling(inputs: inputs, targets: targets, x, y)
        case .addScalingRows: try addScalingRows(x, y)
        case .finishScaling(let inputs, let targets): try finishScaling(inputs: inputs, targets: targets)
        case .predict(let outputs, let type, let rowStride, let columnStride):
            try predict(
                try requireNonNull(x, "inputs"), outputs, RowDescription.Element(rawValue: type), rowStride: rowStride,
                columnStride: columnStride)
        case .train(let rate):
            beginTogether()
            guard let x, let y else { throw missing(x == nil ? "inputs" : "targets") }
            return Double(try train(x, y, rate: rate))
        case .evaluate, .score:
            let x = try requireNonNull(x, "inputs"), y = try requireNonNull(y, "targets")
            if case .score(let measure) = call { return try score(measure, x, y) }
            return Double(try evaluate(x, y))
        }
        return 0
    }
}

// MARK: Descriptions

/// Inputs and targets of the same number of rows.
@inline(never)
func pair(
    _ inputs: UnsafePointer<bp_rows>?, _ targets: UnsafePointer<bp_rows>?, _ nameOfInputs: StaticString,
    _ nameOfTargets: StaticString
) throws(BackpropError) -> Rows {
    try Rows(
        pairing: try described(inputs, nameOfInputs), try described(targets, nameOfTargets, areTargets: true), nameOfInputs,
        nameOfTargets)
}

/// The rows that a caller describes. Its struct may be of a later version.
@inline(never)
private func described(
    _ rows: UnsafePointer<bp_rows>?, _ name: StaticString, areTargets: Bool = false
) throws(BackpropError) -> DescribedRows {
    let described = try requireNonNull(rows, name)
    let size = Int(clamping: described.pointee.struct_size), known = MemoryLayout<bp_rows>.size
    guard size >= known, size <= 4096 else {
        throw DescribedRows.malformed(name, "has another struct_size than sizeof(bp_rows)")
    }
    let bytes = UnsafeRawPointer(described)
    for i in known..<size where bytes.load(fromByteOffset: i, as: UInt8.self) != 0 {
        throw DescribedRows.malformed(name, "uses members that this version of the library does not know", .unsupported)
    }
    let rows = described.pointee
    guard let element = RowDescription.Element(rawValue: rows.type) else {
        throw DescribedRows.malformed(name, "has a type that is not one of those of bp_rows")
    }
    var description = RowDescription(
        rows.values, element, rows: rows.rows, columns: rows.columns, rowStride: rows.row_stride,
        columnStride: rows.column_stride, weights: rows.row_weights)
    description.scale = rows.scale
    description.zeroPoint = rows.zero_point
    return try .make(description, name, areTargets: areTargets)
}
