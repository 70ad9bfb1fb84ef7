import CPlatform

/// The shortest decimal that reads back as the same number, whatever the locale.
func decimal(_ value: Double) -> String { decimal(value, isFloat: false) }

func decimal(_ value: Float) -> String { decimal(Double(value), isFloat: true) }

private func decimal(_ value: Double, isFloat: Bool) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-infinity" : "infinity" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
        cp_print_decimal(value, isFloat, buffer.baseAddress, 32)
        return String(cString: buffer.baseAddress.unsafelyUnwrapped)
    }
}

/// The number a whole text is; nil for anything else, infinities and NaN included.
func number(_ text: String) -> Double? {
    var value = 0.0
    guard !text.utf8.contains(0) else { return nil }  // where C would take the text to end
    return text.withCString { cp_parse_double($0, &value) } ? value : nil
}
