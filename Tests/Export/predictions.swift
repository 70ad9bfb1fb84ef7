/// Compares the predictions of all exported Swift networks with those of the library, as predictions.c does.
/// Usage: predictions SET, for the instruction set "baseline" or "fused".
import Glibc

typealias Network = (
    name: String, inputs: Int, outputs: Int, predict: ([Float]) -> [Float],
    predictInPlace: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
)

func Nregistered_activation_steep(_ z: Float) -> Float { z < 0 ? 0.5 * z : 2 * z }
func Nregistered8_activation_steep(_ z: Float) -> Float { z < 0 ? 0.5 * z : 2 * z }
func Nregistered_activation_turnedDotrowsMinus2(_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ count: Int) {
    for j in 0..<count { a[j] = z[count - 1 - j] }
}
func Nregistered8_activation_turnedDotrowsMinus2(_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ count: Int) {
    for j in 0..<count { a[j] = z[count - 1 - j] }
}

func read<T>(_ file: UnsafeMutablePointer<FILE>, _ count: Int, _ zero: T) -> [T] {
    var numbers = [T](repeating: zero, count: count)
    let isRead = numbers.withUnsafeMutableBytes { fread($0.baseAddress, $0.count, 1, file) == 1 }
    return isRead ? numbers : []
}

/// The number of floats between two floats.
func distance(_ a: Float, _ b: Float) -> Int {
    func position(_ x: Float) -> Int { x.sign == .minus ? -Int(x.magnitude.bitPattern) : Int(x.bitPattern) }
    if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
    return abs(position(a) - position(b))
}

@main
struct Predictions {
    static func main() {
        let rows = 300
        var isRight = true
        for network in networks {
            let path = "\(network.name).rows.\(CommandLine.arguments[1])"
            guard let file = fopen(path, "rb"), read(file, 2, Int32(0)) == [Int32(network.inputs), Int32(network.outputs)] else {
                print("# no \(path), or of another network")
                exit(1)
            }
            let inputs = read(file, rows * network.inputs, Float(0)), expected = read(file, rows * network.outputs, Float(0))
            fclose(file)
            var most = 0
            var difference: Float = 0
            for row in 0..<rows {
                let x = Array(inputs[row * network.inputs..<(row + 1) * network.inputs])
                let y = network.predict(x)
                var inPlace = [Float](repeating: 0, count: network.outputs)
                network.predictInPlace(x, &inPlace)
                for j in 0..<network.outputs {
                    let wanted = expected[row * network.outputs + j]
                    most = max(most, distance(y[j], wanted))
                    if distance(y[j], inPlace[j]) != 0 { isRight = false }
                    if row < rows - 8 { difference = max(difference, abs(y[j] - wanted) / max(1, abs(wanted))) }
                }
            }
            let isRightHere =
                network.name.hasSuffix("8")
                ? difference < 0.2 && difference > 0
                : network.name.hasPrefix("near_")
                    ? difference <= 1e-5 : network.name.hasPrefix("close_") ? most <= 2 : most == 0
            if !isRightHere {
                print("# \(network.name) differs by \(most) floats, by \(difference)")
                isRight = false
            }
        }
        exit(isRight ? 0 : 1)
    }
}
