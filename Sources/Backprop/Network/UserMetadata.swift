/// Texts of the host's own that go with a network and its file: names of classes or features, where the data came from.
extension NetworkState {
    private static var longestKey: Int { 256 }
    /// Of all keys and values together: escaped six times over they still fit a file's header.
    private static var mostBytes: Int { 1 << 20 }
    private static var mostEntries: Int { 1024 }

    package func setMetadata(_ key: String, _ value: String) throws(BackpropError) {
        guard key.utf8.count >= 1, key.utf8.count <= Self.longestKey else {
            throw BackpropError(.invalidValue, "a key of metadata has 1 to 256 bytes")
        }
        let place = self.place(of: key)
        let old = place.map { key.utf8.count + userMetadata[$0].value.utf8.count } ?? 0
        let bytes = metadataBytes - old + key.utf8.count + value.utf8.count
        guard bytes <= Self.mostBytes, place != nil || userMetadata.count < Self.mostEntries else {
            throw BackpropError(.limit, "a network holds at most 1024 keys of metadata, and 1 MiB of keys and texts")
        }
        if let place {
            userMetadata[place].value = value
        } else {
            let next = userMetadata.firstIndex { key.precedes($0.key) } ?? userMetadata.count
            userMetadata.insert((key, value), at: next)
        }
    }

    package func metadata(_ key: String) throws(BackpropError) -> String { userMetadata[try requirePlace(of: key)].value }

    package func removeMetadata(_ key: String) throws(BackpropError) { userMetadata.remove(at: try requirePlace(of: key)) }

    /// Keys are in the order of their bytes.
    package func metadataKey(at index: Int) throws(BackpropError) -> String {
        guard index >= 0, index < userMetadata.count else {
            throw BackpropError(.unknownName, "the network has \(userMetadata.count) keys of metadata")
        }
        return userMetadata[index].key
    }

    var metadataBytes: Int { userMetadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } }

    private func place(of key: String) -> Int? { userMetadata.firstIndex { $0.key.isSame(as: key) } }

    private func requirePlace(of key: String) throws(BackpropError) -> Int {
        guard let place = place(of: key) else { throw BackpropError(.unknownName, "no metadata has the key \"\(key)\"") }
        return place
    }
}
