import Foundation

/// Images of handwritten digits, as matrices for a network.
struct Images {
    static let pixelCount = 64
    static let digitCount = 10

    var pixels: [Float] = []  // [count × 64], 0 … 1
    var targets: [Float] = []  // [count × 10], 1 for the digit and 0 elsewhere
    var digits: [Int] = []  // [count]

    var count: Int { digits.count }

    /// Reads lines of "pixel, …, pixel, digit". Every fifth line is held out, as in the C and Python examples, so that the images
    /// that measure the accuracy are not used for training.
    static func read(_ path: String) throws -> (training: Images, heldOut: Images) {
        var training = Images(), heldOut = Images()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            let values = line.split(separator: ",").compactMap { Int($0) }
            guard values.count == pixelCount + 1, (0...9).contains(values[pixelCount]) else {
                throw Failure(description: "\(path), line \(number + 1): expected 64 pixels and a digit")
            }
            if number % 5 == 4 { heldOut.append(values) } else { training.append(values) }
        }
        return (training, heldOut)
    }

    private mutating func append(_ values: [Int]) {
        let digit = values[Images.pixelCount]
        pixels += values.dropLast().map { Float($0) / 16 }
        targets += (0..<Images.digitCount).map { $0 == digit ? 1 : 0 }
        digits.append(digit)
    }

    /// The images with these indices, in this order.
    subscript(_ numbers: ArraySlice<Int>) -> (pixels: [Float], targets: [Float]) {
        (
            numbers.flatMap { pixels[$0 * Images.pixelCount..<($0 + 1) * Images.pixelCount] },
            numbers.flatMap { targets[$0 * Images.digitCount..<($0 + 1) * Images.digitCount] }
        )
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}
