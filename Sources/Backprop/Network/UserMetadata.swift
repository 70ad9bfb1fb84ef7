/// The host's texts in a network and its file, such as names of classes or features, or the source of the data.
extension NetworkState {
    private static var maximumKeyLength: Int { 256 }
    /// The largest size of all keys and values together. Escaped to six times that size, they still fit into a file's header.
    private static var maximumBytes: Int { 1 << 20 }
    private static var maximumEntries: Int { 1024 }

    package func setMetadata(_ key: String, _ value: String) throws(BackpropError) {
        guard key.utf8.count >= 1, key.utf8.count <= Self.maximumKeyLength else {
            throw BackpropError(.invalidValue, "a metadata key must have 1 to 256 bytes")
        }
        let index = self.index(of: key)
        let old = index.map { key.utf8.count + userMetadata[$0].value.utf8.count } ?? 0
        let bytes = metadataBytes - old + key.utf8.count + value.utf8.count
        guard bytes <= Self.maximumBytes, index != nil || userMetadata.count < Self.maximumEntries else {
            throw BackpropError(.limit, "a network can have at most 1024 metadata keys, and 1 MiB of keys and values")
        }
        if let index {
            userMetadata[index].value = value
        } else {
            let next = userMetadata.firstIndex { key.precedes($0.key) } ?? userMetadata.count
            userMetadata.insert((key, value), at: next)
        }
    }

    package func metadata(_ key: String) throws(BackpropError) -> String { userMetadata[try requireIndex(of: key)].value }

    package func removeMetadata(_ key: String) throws(BackpropError) { userMetadata.remove(at: try requireIndex(of: key)) }

    /// The key at an index; keys are sorted by their bytes.
    package func metadataKey(at index: Int) throws(BackpropError) -> String {
        guard index >= 0, index < userMetadata.count else {
            throw BackpropError(
                .unknownName,
                "index \(UInt(bitPattern: index)) is out of range: the network has \(userMetadata.count) metadata keys")
        }
        return userMetadata[index].key
    }

    var metadataBytes: Int { userMetadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } }

    private func index(of key: String) -> Int? { userMetadata.firstIndex { $0.key.isSame(as: key) } }

    private func requireIndex(of key: String) throws(BackpropError) -> Int {
        guard let index = index(of: key) else { throw BackpropError(.unknownName, "the network has no metadata key \"\(key)\"") }
        return index
    }
}
