import Foundation

/// Measured values as text.
enum Figures {
    static func short(_ value: Double) -> String { String(format: "%.2g", value) }
}
