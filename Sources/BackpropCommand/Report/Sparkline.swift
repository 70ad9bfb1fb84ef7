import Backprop
import CPlatform

/// Draws numbers as a line of blocks of different heights, "▇▅▃▂▁", on a logarithmic scale if all are positive.
func sparkline(_ values: [Double], width: Int) -> Text {
    let finite = values.filter { $0.isFinite }
    guard !finite.isEmpty else { return "" }
    let isLogarithmic = finite.allSatisfy { $0 > 0 }
    let scaled = finite.map { isLogarithmic ? log($0) : $0 }
    var low = scaled[0], high = scaled[0]
    for value in scaled { (low, high) = (min(low, value), max(high, value)) }
    let count = min(width, scaled.count)
    var text: Text = ""
    for i in 0..<count {
        let value = scaled[count < scaled.count ? i * (scaled.count - 1) / max(1, count - 1) : i]
        let height = high > low ? Int((value - low) / (high - low) * 7.999) : 0
        text += Text([0xE2, 0x96, 0x81 + UInt8(height)])  // U+2581 ... U+2588
    }
    return text
}
