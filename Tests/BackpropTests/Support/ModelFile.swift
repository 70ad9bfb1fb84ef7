import Foundation

@testable import Backprop

/// A unique path in the folder for temporary files.
func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appending(path: "backprop-test-\(UUID().uuidString).safetensors").path
}

/// Runs `body` with such a path and removes the file.
func withTemporaryPath<R>(_ body: (String) throws -> R) rethrows -> R {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

extension Network {
    /// The tensors of the network's file by name, parsed without the reader of the library.
    func tensors() throws -> [String: [Float]] {
        let file = try savedBytes()
        let length = (0..<8).reduce(0) { $0 | Int(file[$1]) << (8 * $1) }
        let header = try JSONSerialization.jsonObject(with: Data(file[8..<8 + length])) as? [String: [String: Any]] ?? [:]
        var tensors: [String: [Float]] = [:]
        for (name, entry) in header {
            guard let offsets = entry["data_offsets"] as? [Int] else { continue }
            tensors[name] = stride(from: 8 + length + offsets[0], to: 8 + length + offsets[1], by: 4).map { at in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(file[at + $1]) << (8 * UInt32($1)) })
            }
        }
        return tensors
    }

    func savedBytes() throws -> [UInt8] {
        try withTemporaryPath { path in
            try save(to: path)
            return try [UInt8](Data(contentsOf: URL(filePath: path)))
        }
    }

    /// Loads a network from a file with these bytes.
    static func load(bytes: [UInt8]) throws -> Network {
        try withTemporaryPath { path in
            try Data(bytes).write(to: URL(filePath: path))
            return try Network.load(from: path)
        }
    }
}

/// Whether the files of two networks are equal, bit by bit.
func sameState(_ one: Network, _ other: Network) throws -> Bool {
    try one.savedBytes() == other.savedBytes()
}
