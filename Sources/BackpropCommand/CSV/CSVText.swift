import Backprop

/// Returns a field in the form of a CSV file: in quotes if it contains a delimiter, a quote or a line break.
func csvField(_ field: Bytes) -> Text {
    let isPlain = field.allSatisfy { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != 0x0A && $0 != 0x0D }
    if isPlain && !field.isEmpty { return Text(field) }
    var quoted: Bytes = [UInt8(ascii: "\"")]
    for byte in field {
        if byte == UInt8(ascii: "\"") { quoted.append(byte) }
        quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    return Text(quoted)
}
