import CKernels
import CPlatform

/// Training steps of several networks at once, one in each lane of the vectors: parameter i of network n is at [i][n]. The
/// networks have the same settings. Each sum has the order that it has in `trainByLayers`, so that the results have the same
/// bits.
final class Lanes {
    /// The number of rows that pass through the layers together: so few that the matrices of a layer stay in the first-level
    /// cache.
    private static var rowBlock: Int { 16 }

    private let networks: [NetworkState]
    /// A network whose settings are those of all.
    let settings: NetworkState
    /// The number of lanes.
    let count: Int
    /// The number of parameters of a network. They are in the order of a flat vector.
    private let size: Int
    /// The number of the optimizer's slots.
    private let slots: Int
    private let storage: Floats
    // In `storage`:
    /// For each lane: the learning rate of the next step, and its rows.
    let rates: UnsafeMutablePointer<Float>
    private let inputs, targets: UnsafeMutablePointer<UnsafePointer<Float>?>
    /// For each lane: the sum of the losses of the rows of the latest step.
    private let losses: UnsafeMutablePointer<Double>
    /// [parameters × lanes]; the slots of the optimizer follow the parameters.
    private let parameters, gradient: UnsafeMutablePointer<Float>
    /// The parameters or a slot of each network, [lanes × parameters].
    private let flat: UnsafeMutablePointer<Float>
    /// A block of rows, [rowBlock × columns × lanes].
    private let x, y: UnsafeMutablePointer<Float>
    private let layers: [LaneLayer]
    /// z, a and δ of one row of one network.
    private let row: UnsafeMutablePointer<Float>
    private let zero, ones: UnsafeMutablePointer<Float>
    /// For each lane: minus the rate, and the factor of the weights.
    private let moves, shrinks: UnsafeMutablePointer<Float>

    private var stepNumber: UInt64 = 0
    private var largestMoment = 0.0, largestSquare = 0.0
    /// The lanes that hold their networks, and those with steps that their networks do not have yet.
    private(set) var held = LaneSet()
    private var changed = LaneSet()

    private init(_ networks: [NetworkState], size: Int, storage: consuming Floats) {
        let settings = networks[0], count = settings.laneCount, block = Self.rowBlock * count
        var end = storage.base
        func take(_ numbers: Int) -> UnsafeMutablePointer<Float> {
            end += paddedCount(numbers)
            return end - paddedCount(numbers)
        }
        func take<T>(_ type: T.Type) -> UnsafeMutablePointer<T> {
            UnsafeMutableRawPointer(take(2 * count)).assumingMemoryBound(to: type)
        }
        self.networks = networks
        self.settings = settings
        self.count = count
        self.size = size
        slots = settings.optimizer.vectorCount(settings.options)
        inputs = take(UnsafePointer<Float>?.self)
        targets = take(UnsafePointer<Float>?.self)
        losses = take(Double.self)
        rates = take(count)
        zero = take(count)
        ones = take(count)
        moves = take(count)
        shrinks = take(count)
        row = take(3 * settings.widestStride)
        parameters = take(size * count * (1 + slots))
        gradient = take(size * count)
        flat = take(size * count)
        x = take(settings.inputCount * block)
        y = take(settings.outputCount * block)
        var at = 0, layers: [LaneLayer] = []
        for (index, layer) in settings.layers.enumerated() {
            let a = take(layer.outputs * block), delta = take(layer.outputs * block)
            let isHidden = index < settings.layers.count - 1
            layers.append(
                LaneLayer(
                    inputs: layer.inputs, outputs: layer.outputs,
                    activation: layer.activation.is(.softmax) ? nil : layer.activation.kind, weights: parameters + at,
                    gradient: gradient + at, biasOffset: layer.inputs * layer.outputs * count,
                    z: isHidden && layer.activation.derivesFromValue ? a : take(layer.outputs * block), a: a, delta: delta))
            at += layer.parameterCount * count
        }
        self.layers = layers
        for lane in 0..<count { ones[lane] = 1 }
        self.storage = storage
    }

    /// Lanes for networks of the same settings that `hasLanes`.
    @inline(never)
    static func make(_ networks: [NetworkState]) throws(BackpropError) -> Lanes {
        let settings = networks[0], size = settings.parameterCount
        let units = settings.layers.reduce(0) { $0 + $1.outputs }
        let numbers =
            size * (3 + settings.optimizer.vectorCount(settings.options)) + rowBlock
            * (settings.inputCount + settings.outputCount + 3 * units)
        let padding = 16 * 16  // for each call of `take`
        let storage = try Floats((numbers + 11) * settings.laneCount + 3 * settings.widestStride + padding)
        return Lanes(networks, size: size, storage: storage)
    }

    // MARK: Networks and lanes

    /// Loads the networks of some lanes, whose `rates` are those of the next step. `setRows` must follow.
    func load(_ lanes: LaneSet) throws(BackpropError) {
        (largestMoment, largestSquare, stepNumber) = (0, 0, 0)
        // A lane without a network computes, too: finite numbers.
        for lane in 0..<count { inputs[lane] = UnsafePointer(flat + (lanes.hasLane(lane) ? lane : lanes.firstLane) * size) }
        for (lane, network) in networks.enumerated() where lanes.hasLane(lane) && !settings.isPlainDescent {
            let state = try network.requireOptimizerState(rate: rates[lane])
            network.optimizerState = state
            (largestMoment, largestSquare) = (max(largestMoment, state.largestMoment), max(largestSquare, state.largestSquare))
            stepNumber = state.steps
        }
        for slot in -1..<slots {
            for lane in networks.indices where lanes.hasLane(lane) { copy(slot, of: lane, toNetwork: false) }
            settings.kernels.interleave(inputs, 0, size, values(slot), count)
        }
        held = lanes
    }

    /// Copies what a lane holds to its network.
    func unload(_ lane: Int) {
        guard changed.hasLane(lane) else { return }
        for slot in -1..<slots {
            for i in 0..<size { flat[lane * size + i] = values(slot)[i * count + lane] }
            copy(slot, of: lane, toNetwork: true)
        }
        if let state = networks[lane].optimizerState, !settings.isPlainDescent {
            (state.largestMoment, state.largestSquare, state.steps) = (largestMoment, largestSquare, stepNumber)
        }
        changed.removeLane(lane)
    }

    /// The lane's network changes without the lanes.
    func vacate(_ lane: Int) {
        unload(lane)
        held.removeLane(lane)
    }

    /// The parameters, slot −1, or a slot of the optimizer.
    private func values(_ slot: Int) -> UnsafeMutablePointer<Float> { parameters + (slot + 1) * size * count }

    /// Copies a slot of a network to or from `flat`.
    private func copy(_ slot: Int, of lane: Int, toNetwork: Bool) {
        let network = networks[lane]
        var at = flat + lane * size
        for (index, layer) in network.layers.enumerated() {
            if let panels = slot < 0 ? layer.weights.base : network.optimizerState?.slot(slot, layer: index) {
                if toNetwork { layer.copyParameters(from: at, to: panels) } else { layer.copyParameters(panels, to: at) }
            }
            at += layer.parameterCount
        }
    }

    // MARK: Steps

    typealias Rows = (inputs: UnsafePointer<Float>, targets: UnsafePointer<Float>)

    /// Sets the rows of a lane in the next step. A lane that holds no network needs rows, too.
    func setRows(_ lane: Int, _ rows: Rows) { (inputs[lane], targets[lane]) = rows }

    /// The loss of a lane in the latest step.
    func loss(_ lane: Int, rows: Int) -> Float { Float(settings.reducedLoss(losses[lane], rows: rows)) }

    /// Makes a step of all networks that are held. Returns false, without a change, if it might not be finite. `weights`: those
    /// of the rows of all lanes.
    func step(rows: Int, weights: UnsafePointer<Float>?) -> Bool {
        for lane in 0..<count { losses[lane] = 0 }
        for start in stride(from: 0, to: rows, by: Self.rowBlock) { pass(rows, start, weights.map { $0 + start }) }
        for lane in networks.indices where held.hasLane(lane) && !loss(lane, rows: rows).isFinite { return false }
        return descend()
    }

    private func descend() -> Bool {
        var rate = rates[held.firstLane], step = settings.step(rate: rate, number: stepNumber &+ 1)
        var (move, shrink) = (-step.rate, step.shrink)
        for lane in 0..<count {
            if held.hasLane(lane), rates[lane] != rate {
                rate = rates[lane]
                let other = settings.step(rate: rate, number: stepNumber &+ 1)
                (move, shrink) = (-other.rate, other.shrink)
                if other.rate > step.rate { step = other }
            }
            moves[lane] = move
            shrinks[lane] = shrink
        }
        // `step` has the largest rate.
        let bounds = settings.bounds(
            of: step, Double(settings.kernels.sum_of_magnitudes(gradient, size * count)), moment: largestMoment,
            square: largestSquare
        ) { Double(settings.kernels.sum_of_magnitudes(parameters, size * count)) }
        guard bounds.areSafe else { return false }
        step.scale = 1
        var at = 0
        for layer in settings.layers {
            optimize(&at, layer.inputs * layer.outputs, step, shrinks)
            optimize(&at, layer.outputs, settings.stepForBiases(step), settings.options[.decayBiases] == 0 ? ones : shrinks)
        }
        (largestMoment, largestSquare) = (bounds.moment, bounds.square)
        stepNumber &+= 1
        for (lane, network) in networks.enumerated() where held.hasLane(lane) {
            network.steps &+= 1
            network.hasInitialWeights = false
        }
        changed = held
        return true
    }

    /// Makes the step of the next `numbers` parameters.
    private func optimize(_ at: inout Int, _ numbers: Int, _ step: cp_optimizer, _ shrinks: UnsafePointer<Float>) {
        let values = parameters + at
        withUnsafePointer(to: step) {
            settings.kernels.lane_optimize(
                $0, moves, shrinks, values, gradient + at, slots > 0 ? values + size * count : nil,
                slots > 1 ? values + 2 * size * count : nil, numbers * count)
        }
        at += numbers * count
    }

    /// Passes a block of rows, with their weights, forward and backward, and adds its gradient and losses.
    private func pass(_ rows: Int, _ start: Int, _ rowWeights: UnsafePointer<Float>?) {
        let block = min(Self.rowBlock, rows - start)
        settings.kernels.interleave(inputs, start * settings.inputCount, block * settings.inputCount, x, count)
        settings.kernels.interleave(targets, start * settings.outputCount, block * settings.outputCount, y, count)

        var input = x
        for layer in layers {
            product(
                input, layer.inputs, 1, layer.weights, 1, layer.inputs, start: layer.weights + layer.biasOffset, 0, 1, layer.z,
                layer.outputs, rows: block, columns: layer.outputs, depth: layer.inputs)
            if let activation = layer.activation {
                settings.kernels.activate(activation, layer.z, layer.a, block * layer.outputs, count, count)
            }
            input = layer.a
        }
        let isFused = addLoss(rows, start, block, rowWeights)

        for index in layers.indices.reversed() {
            let layer = layers[index], input = index == 0 ? x : layers[index - 1].a
            if index < layers.count - 1 || !isFused, let activation = layer.activation {
                settings.kernels.differentiate(activation, layer.z, layer.a, layer.delta, block * layer.outputs, count, count)
            }
            addGradient(layer, input, layer.inputs, 1, to: layer.gradient, columns: layer.inputs, block, isFirst: start == 0)
            addGradient(layer, ones, 0, 0, to: layer.gradient + layer.biasOffset, columns: 1, block, isFirst: start == 0)
            guard index > 0 else { continue }
            product(
                layer.delta, layer.outputs, 1, layer.weights, layer.inputs, 1, start: zero, 0, 0, layers[index - 1].delta,
                layer.inputs, rows: block, columns: layer.inputs, depth: layer.outputs)
        }
    }

    /// Adds δᵀ b of a block of rows to a part of the gradient. The first block makes the sums.
    private func addGradient(
        _ layer: LaneLayer, _ b: UnsafePointer<Float>, _ bDepth: Int, _ bColumn: Int, to sums: UnsafeMutablePointer<Float>,
        columns: Int, _ block: Int, isFirst: Bool
    ) {
        product(
            layer.delta, 1, layer.outputs, b, bDepth, bColumn, start: isFirst ? zero : sums, isFirst ? 0 : columns,
            isFirst ? 0 : 1, sums, columns, rows: layer.outputs, columns: columns, depth: block)
    }

    @inline(never)
    private func product(
        _ a: UnsafePointer<Float>, _ aRow: Int, _ aDepth: Int, _ b: UnsafePointer<Float>, _ bDepth: Int, _ bColumn: Int,
        start: UnsafePointer<Float>, _ startRow: Int, _ startColumn: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int,
        rows: Int, columns: Int, depth: Int
    ) {
        var product = cp_lane_product(
            a: a, b: b, start: start, c: c, a_row: aRow, a_depth: aDepth, b_depth: bDepth, b_column: bColumn, start_row: startRow,
            start_column: startColumn, c_row: cRow, c_column: 1, rows: rows, columns: columns, depth: depth)
        if rows < columns, rows < 4 { product.transpose() }  // for tiles of more sums
        settings.kernels.lane_product(&product)
    }

    /// Adds the losses of a block of rows, and computes the last layer's δ from the loss. Returns whether δ is the gradient for
    /// z; otherwise it is that for a.
    private func addLoss(_ rows: Int, _ start: Int, _ block: Int, _ weights: UnsafePointer<Float>?) -> Bool {
        let all = layers[layers.count - 1]
        let scale = settings.lossScale(rows: rows)
        guard let loss = settings.loss.builtIn else { return false }
        if loss == .squaredError, settings.options[.missingTargets] == 0 {
            settings.kernels.lane_squared_error(all.a, y, all.delta, count, block, all.outputs, weights, scale, losses)
            return false
        }
        let last = settings.layers[layers.count - 1]
        // Row by row, because the losses of rows are added one after the other.
        let isFused = settings.loss.isFused(with: last.activation)
        let z = row, a = z + last.stride, d = a + last.stride
        for lane in networks.indices where held.hasLane(lane) {
            guard let targets = targets[lane] else { continue }
            for i in 0..<block {
                func place(_ column: Int) -> Int { (i * last.outputs + column) * count + lane }
                let target = targets + (start + i) * last.outputs, weight = weights.map { $0 + i }
                for column in 0..<last.outputs {
                    z[column] = all.z[place(column)]
                    a[column] = all.a[place(column)]
                }
                if last.activation.is(.softmax) {
                    settings.kernels.activate(BuiltInActivation.softmax.kind, z, a, 1, last.outputs, last.stride)
                }
                losses[lane] += settings.lossSum(loss, fused: isFused, z: z, a: a, targets: target, weights: weight, rows: 1)
                settings.lossGradient(
                    loss, fused: isFused, a: a, targets: target, weights: weight, d: d, rows: 1, scale: scale)
                for column in 0..<last.outputs { all.delta[place(column)] = d[column] }
            }
        }
        return isFused
    }
}

/// A layer of the networks in the lanes.
private struct LaneLayer {
    let inputs: Int, outputs: Int
    /// The function's number; nil for softmax, which is computed with the loss.
    let activation: Int32?
    /// [outputs × inputs × lanes]; `biasOffset` numbers further, [outputs × lanes].
    let weights: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>, biasOffset: Int
    /// [rowBlock × outputs × lanes]. z and a of a hidden layer are one matrix if the derivative follows from a.
    let z: UnsafeMutablePointer<Float>, a: UnsafeMutablePointer<Float>, delta: UnsafeMutablePointer<Float>
}

extension cp_lane_product {
    /// Computes cᵀ = startᵀ + bᵀ aᵀ: the same sums.
    fileprivate mutating func transpose() {
        swap(&a, &b)
        swap(&rows, &columns)
        (a_row, a_depth, b_depth, b_column) = (b_column, b_depth, a_depth, a_row)
        (start_row, start_column) = (start_column, start_row)
        (c_row, c_column) = (c_column, c_row)
    }
}

/// Some of the lanes.
struct LaneSet: Equatable {
    private var bits = 0

    var firstLane: Int { bits.trailingZeroBitCount }
    func hasLane(_ lane: Int) -> Bool { bits & 1 << lane != 0 }
    mutating func addLane(_ lane: Int) { bits |= 1 << lane }
    mutating func removeLane(_ lane: Int) { bits &= ~(1 << lane) }
}

extension NetworkState {
    /// The largest network whose steps are faster in lanes.
    private static var mostLaneWeights: Int { 8192 }

    /// Whether steps of that number of rows, and of fewer than that but more than `fewRows`, can be made in lanes.
    func hasLanes(rows: Int) -> Bool {
        rows > fewRows && !canAccumulate(rows: rows) && laneCount > 0 && workers == nil && !loss.isPlugin
            && !optimizer.isSecondOrder && options[.clipNorm] == 0 && weightCount <= Self.mostLaneWeights
            && layers.indices.allSatisfy { index in
                let layer = layers[index]
                return layer.isTrainable && !layer.isNormalized && layer.dropout == 0 && !layer.activation.isPlugin
                    && (!layer.activation.is(.softmax) || index == layers.count - 1 && loss.is(.crossEntropy))
            }
    }

    /// The number of networks whose steps are made together.
    var laneCount: Int { kernels.lanes }

    /// The number of rows up to which other kernels make the steps, whose sums have another order.
    var fewRows: Int { RowPlan.maximumRows(for: self) }

    /// Whether this network computes what another one with its parameters and its optimizer's state computes.
    func hasSettings(of other: NetworkState) -> Bool {
        guard hasLayers(of: other), loss.isSame(as: other.loss), optimizer == other.optimizer,
            options.isSame(as: other.options), Scaling.areSame(inputScaling, other.inputScaling),
            Scaling.areSame(targetScaling, other.targetScaling)
        else { return false }
        for index in layers.indices {
            let layer = layers[index], other = other.layers[index]
            guard layer.activation.isSame(as: other.activation), layer.isNormalized == other.isNormalized,
                layer.dropout == other.dropout, layer.isTrainable == other.isTrainable
            else { return false }
        }
        return true
    }
}
