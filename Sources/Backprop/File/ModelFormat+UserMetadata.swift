/// The host's metadata in the header of a model file.
extension NetworkState {
    private static var prefix: String { "metadata." }

    /// Keys and values, escaped for JSON strings.
    var userMetadataEntries: [(Text, Text)] {
        userMetadata.map { ("\(Self.prefix)\(escaped($0.key))", escaped($0.value)) }
    }

    /// Texts that contain NUL are refused: C can neither set nor read them.
    func readUserMetadata(from metadata: HeaderMetadata) throws(BackpropError) {
        for (key, value) in metadata.values(withPrefix: Self.prefix) {
            guard !key.utf8.contains(0), !value.utf8.contains(0), (try? setMetadata(key, value)) != nil else {
                throw HeaderMetadata.error(Self.prefix + key, "is malformed")
            }
        }
    }

    private func escaped(_ text: String) -> Text {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte < 0x20 {
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(0x30 + byte >> 4)
                bytes.append(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
            } else {
                if byte == 0x22 || byte == 0x5C { bytes.append(0x5C) }
                bytes.append(byte)
            }
        }
        return Text(bytes)
    }
}
