import CPlatform

/// The shortest decimal that reads back as the same number, in any locale.
package func decimal(_ value: Double) -> String { decimal(value, isFloat: false) }

package func decimal(_ value: Float) -> String { decimal(Double(value), isFloat: true) }

private func decimal(_ value: Double, isFloat: Bool) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-infinity" : "infinity" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
        cp_print_decimal(value, isFloat, buffer.baseAddress, 32)
        return String(cString: buffer.baseAddress.unsafelyUnwrapped)
    }
}

/// The finite number that the complete text represents; nil for any other text, also for infinities and NaN.
func number(_ text: String) -> Double? {
    var value = 0.0
    guard !text.utf8.contains(0) else { return nil }  // C would end the text there
    return text.withCString { cp_parse_double($0, &value) } ? value : nil
}
