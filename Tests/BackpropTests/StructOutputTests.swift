import Testing

@testable import Backprop

/// Output structs of callers that were compiled with another version of the header.
@Suite struct StructOutputTests {
    /// The first version has 12 bytes; a later version added 8.
    private struct Record: BitwiseCopyable {
        var size: UInt32 = 0
        var one: UInt32 = 1
        var two: UInt32 = 2
        var three: UInt32 = 3
        var four: UInt32 = 4
    }
    private static let first = 12

    /// The block of a caller with this struct_size, after the library has written to it.
    private func written(_ size: Int, put: Bool) throws -> [UInt32] {
        var block = [UInt32](repeating: 99, count: 8)
        block[0] = UInt32(size)
        try block.withUnsafeMutableBytes { bytes in
            let place = try #require(bytes.baseAddress).bindMemory(to: Record.self, capacity: 1)
            let out = try StructOutput(place, first: Self.first, "record_out")
            if put { out.put(Record()) }
        }
        return block
    }

    @Test func aShorterStructIsFilledUpToItsSize() throws {
        #expect(try written(12, put: true) == [12, 1, 2, 99, 99, 99, 99, 99])
        #expect(try written(16, put: true) == [16, 1, 2, 3, 99, 99, 99, 99])
    }

    @Test func aLongerStructIsFilledUpToTheSizeInTheLibrary() throws {
        #expect(try written(20, put: true) == [20, 1, 2, 3, 4, 99, 99, 99])
        #expect(try written(24, put: true) == [20, 1, 2, 3, 4, 99, 99, 99])
        #expect(try written(Int(UInt32.max), put: true) == [20, 1, 2, 3, 4, 99, 99, 99])
    }

    @Test func aFailedCallLeavesZerosAfterTheSize() throws {
        #expect(try written(16, put: false) == [16, 0, 0, 0, 99, 99, 99, 99])
        #expect(try written(1000, put: false) == [1000, 0, 0, 0, 0, 99, 99, 99])
    }

    @Test(arguments: 0..<12)
    func aStructShorterThanTheFirstVersionIsRefused(size: Int) {
        expectFailure(.invalidValue) { _ = try written(size, put: true) }
    }
}
