/// Rows that a caller described, checked. The numbers need not be aligned.
package final class DescribedRows {
    typealias Element = RowDescription.Element

    package let rows, columns: Int
    /// The weight of each row, not checked yet; nil: all are 1.
    let weights: UnsafePointer<Float>?
    let element: Element
    private let values: UnsafeRawPointer
    private let rowStride, columnStride: Int
    private let scale: Float
    private let zeroPoint: Int32
    /// The places of the rows; nil: in order.
    private let indices: UnsafePointer<Int>?

    private init(
        _ values: UnsafeRawPointer, _ element: Element, rows: Int, columns: Int, _ strides: (row: Int, column: Int),
        weights: UnsafePointer<Float>?, scale: Float, zeroPoint: Int32, _ indices: UnsafePointer<Int>?
    ) {
        (self.rows, self.columns) = (rows, columns)
        self.weights = weights
        self.element = element
        self.values = values
        (rowStride, columnStride) = strides
        self.scale = scale
        self.zeroPoint = zeroPoint
        self.indices = indices
    }

    /// `name`: that of the argument, for messages.
    @inline(never)
    package static func make(
        _ rows: RowDescription, _ name: StaticString, areTargets: Bool = false
    ) throws(BackpropError) -> DescribedRows {
        guard areTargets || rows.weights == nil else {
            throw malformed(name, "has row weights, which only targets may have")
        }
        let isInteger = rows.element == .int8 || rows.element == .uint8
        let hasScale = rows.scale.bitPattern << 1 != 0  // a comparison might run with the caller's flush-to-zero bits
        guard rows.scale.isFinite, rows.zeroPoint >= -128, rows.zeroPoint <= 255,
            isInteger || (!hasScale && rows.zeroPoint == 0)
        else {
            throw malformed(
                name, "needs a finite scale and a zero_point from -128 to 255; both 0 unless type is an 8-bit integer")
        }
        let strides = try strides(
            rows.rowStride, rows.columnStride, rows: rows.rows, columns: rows.columns, rows.element, name)
        guard let values = rows.rows == 0 ? UnsafeRawPointer(bitPattern: 4) : rows.values else {
            throw malformed(name, "has values NULL", .nullArgument)
        }
        return DescribedRows(
            values, rows.element, rows: rows.rows, columns: rows.columns, strides, weights: rows.weights,
            scale: hasScale ? rows.scale : 1, zeroPoint: rows.zeroPoint, nil)
    }

    @inline(never)
    package static func malformed(
        _ name: StaticString, _ problem: StaticString, _ code: BackpropError.Code = .invalidValue
    ) -> BackpropError {
        BackpropError(code, "\(name) \(problem)")
    }

    /// The strides in bytes: those given, or if both are 0, of a row-major matrix without gaps. The distance of any two numbers
    /// must be less than an eighth of the address space.
    static func strides(
        _ rowStride: Int, _ columnStride: Int, rows: Int, columns: Int, _ element: Element, _ name: StaticString
    ) throws(BackpropError) -> (row: Int, column: Int) {
        _ = try checkedProduct(rows, columns)
        if rowStride == 0, columnStride == 0 { return (columns * element.size, element.size) }
        let (down, downOverflows) = rowStride.magnitude.multipliedReportingOverflow(by: UInt(max(rows, 1) - 1))
        let (across, acrossOverflows) = columnStride.magnitude.multipliedReportingOverflow(by: UInt(max(columns, 1) - 1))
        guard !downOverflows, !acrossOverflows, down <= UInt.max >> 4, across <= UInt.max >> 4 else {
            throw malformed(name, "has too many rows or columns for its strides", .limit)
        }
        return (rowStride, columnStride)
    }

    /// Whether the rows are an array: aligned floats that are row-major without gaps.
    var isInPlace: Bool {
        element == .float && rowStride == 4 * columns && columnStride == 4 && UInt(bitPattern: values) % 4 == 0
            && indices == nil
    }

    /// The array, if the rows are one.
    var floats: UnsafePointer<Float> { values.assumingMemoryBound(to: Float.self) }

    var source: RowSource { isInPlace ? .floats(floats) : .described(self) }

    /// The rows at `indices`, which must stay where they are.
    func at(_ indices: UnsafePointer<Int>, count: Int) -> DescribedRows {
        DescribedRows(
            values, element, rows: count, columns: columns, (rowStride, columnStride), weights: nil, scale: scale,
            zeroPoint: zeroPoint, indices)
    }

    /// Some of the rows, without their weights.
    func part(_ range: Range<Int>) -> DescribedRows {
        DescribedRows(
            indices == nil ? values + range.lowerBound * rowStride : values, element, rows: range.count, columns: columns,
            (rowStride, columnStride), weights: nil, scale: scale, zeroPoint: zeroPoint,
            indices.map { $0 + range.lowerBound })
    }

    private func start(_ row: Int) -> UnsafeRawPointer { values + (indices.map { $0[row] } ?? row) * rowStride }

    @inline(never)
    func number(_ row: Int, _ column: Int) -> Double {
        let at = start(row) + column * columnStride
        return switch element {
        case .float: Double(Self.single(at))
        case .double: Self.double(at)
        case .half: Double(Self.half(at))
        case .int8: Double(scale) * Double(Int32(at.load(as: Int8.self)) - zeroPoint)
        case .uint8: Double(scale) * Double(Int32(at.load(as: UInt8.self)) - zeroPoint)
        }
    }

    @inline(never)
    func scaled(_ row: Int, _ column: Int, _ scaling: Scaling?) -> Float {
        let value = number(row, column)
        guard let scaling else { return Float(value) }
        return element == .double ? scaling.scaled(value, column: column) : scaling.scaled(Float(value), column: column)
    }

    /// Writes rows as the network computes with them, [count × columns]: those from `first` on, or those at `indices`.
    func fill(
        _ out: UnsafeMutablePointer<Float>, first: Int, count: Int, scaling: Scaling?, at indices: UnsafePointer<Int>? = nil
    ) {
        for i in 0..<count { convert(indices.map { $0[i] } ?? first + i, to: out + i * columns, scaling) }
    }

    /// Converts a row to Float. Doubles are scaled before they are rounded, since a difference from the mean may need digits
    /// that a Float does not have.
    private func convert(_ row: Int, to out: UnsafeMutablePointer<Float>, _ scaling: Scaling?) {
        let (scale, zeroPoint) = (scale, zeroPoint)
        switch element {
        case .float: convert(row, to: out) { at, _ in Self.single(at) }
        case .half: convert(row, to: out) { at, _ in Self.half(at) }
        case .int8: convert(row, to: out) { at, _ in scale * Float(Int32(at.load(as: Int8.self)) - zeroPoint) }
        case .uint8: convert(row, to: out) { at, _ in scale * Float(Int32(at.load(as: UInt8.self)) - zeroPoint) }
        case .double:
            guard let scaling else { return convert(row, to: out) { at, _ in Float(Self.double(at)) } }
            return convert(row, to: out) { at, column in scaling.scaled(Self.double(at), column: column) }
        }
        scaling?.apply(out, rows: 1, to: out)
    }

    @inline(__always)
    private func convert(
        _ row: Int, to out: UnsafeMutablePointer<Float>, _ convert: (UnsafeRawPointer, Int) -> Float
    ) {
        var at = start(row)
        for column in 0..<columns {
            out[column] = convert(at, column)
            at += columnStride
        }
    }

    @inline(__always)
    private static func single(_ at: UnsafeRawPointer) -> Float { Float(bitPattern: at.loadUnaligned(as: UInt32.self)) }
    @inline(__always)
    private static func double(_ at: UnsafeRawPointer) -> Double { Double(bitPattern: at.loadUnaligned(as: UInt64.self)) }
    @inline(__always)
    private static func half(_ at: UnsafeRawPointer) -> Float { float(half: at.loadUnaligned(as: UInt16.self)) }
}
