import Testing

@testable import Backprop

/// The reader of file headers. It supports the part of JSON that safetensors headers use.
@Suite struct JSONReaderTests {
    @Test(arguments: [
        ("\"\"", ""), ("\"abc\"", "abc"), (" \t\r\n\"a b\"", "a b"),
        ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
        ("\"\\u0041\\u00e9\\u20AC\"", "Aé€"), ("\"\\uD83D\\uDE00\"", "😀"), ("\"σ′(z)\"", "σ′(z)"),
        ("\"\\u0000\"", "\0"), ("\"\u{7F}\"", "\u{7F}"),
    ])
    func stringsAreParsed(json: String, expected: String) throws {
        #expect(try read(json) { (reader) throws(BackpropError) in try reader.readString() } == expected)
    }

    @Test(arguments: [
        "", "\"", "\"abc", "abc", "'a'", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u12G4\"", "\"a\nb\"",
        "\"\\uD83D\"", "\"\\uD83Dx\"", "\"\\uD83D\\u0041\"", "\"\\uDE00\"", "\"a\"b", "\"\u{1F}\"",
    ])
    func malformedStringsAreRefused(json: String) {
        expectFailure(.corrupt) { _ = try read(json) { (reader) throws(BackpropError) in try reader.readString() } }
    }

    /// An invalid UTF-8 byte, a truncated sequence, an overlong one, a surrogate, a number above the Unicode range.
    @Test(arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func stringsThatAreNotUTF8AreRefused(bytes: [UInt8]) {
        expectFailure(.corrupt) {
            try ([0x22] + bytes + [0x22]).withUnsafeBufferPointer { (buffer) throws(BackpropError) in
                var reader = JSONReader(buffer)
                _ = try reader.readString()
            }
        }
    }

    @Test(arguments: [
        ("[]", []), ("[0]", [0]), ("[ 1 , 23,456 ]", [1, 23, 456]), ("[288230376151711743]", [(1 << 58) - 1]),
    ])
    func countsAreParsed(json: String, expected: [Int]) throws {
        #expect(try read(json) { (reader) throws(BackpropError) in try reader.readCounts(limit: 3) } == expected)
    }

    @Test(arguments: [
        "", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[01]", "[-1]", "[+1]", "[1.0]", "[1e3]", "[\"1\"]", "[1 2]", "[1]]", "{}",
        "[288230376151711744]", "[99999999999999999999999999]", "[1,2,3,4]", "[null]", "[[1]]",
    ])
    func malformedCountsAreRefused(json: String) {
        expectFailure(.corrupt) { _ = try read(json) { (reader) throws(BackpropError) in try reader.readCounts(limit: 3) } }
    }

    @Test(arguments: [
        ("{}", []), (" { } ", []), ("{\"a\":\"1\"}", ["a=1"]), ("{\"a\" : \"1\" ,\n\"b\":\"\"}", ["a=1", "b="]),
        ("{\"a\":\"1\",\"a\":\"2\"}", ["a=1", "a=2"]),
    ])
    func objectsAreParsed(json: String, expected: [String]) throws {
        #expect(try readObject(json) == expected)
    }

    @Test(arguments: [
        "", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":\"1\"", "{\"a\":\"1\",}", "{,\"a\":\"1\"}", "{\"a\":\"1\" \"b\":\"2\"}",
        "{a:\"1\"}", "{\"a\":1}", "{\"a\":{}}", "{\"a\":null}", "{}{}", "{} x", "[]", "{\"a\"=\"1\"}",
    ])
    func malformedObjectsAreRefused(json: String) {
        expectFailure(.corrupt) { _ = try readObject(json) }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12", "-12.5e+3", "1E-7", "0.0", "\"text \\u00e9\"", "[]", "[ 1 , [ ] , {} ]",
        "{\"a\":[true,{\"b\":null}],\"c\":-1e9}", String(repeating: "[", count: 127) + String(repeating: "]", count: 127),
    ])
    func anyValueIsSkipped(json: String) throws {
        try read(json) { (reader) throws(BackpropError) in try reader.skipValue() }
    }

    @Test(arguments: [
        "", "nul", "True", "-", "01", "+1", "1.", ".5", "1e", "1e+", "--1", "[", "[1,]", "[,]", "{", "{\"a\"}", "{1:2}", "\"",
        "[1}", "{]", "nan", "0x10", "'a'", "[1 2]", String(repeating: "[", count: 128) + String(repeating: "]", count: 128),
        String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
    ])
    func malformedValuesAreRefused(json: String) {
        expectFailure(.corrupt) { try read(json) { (reader) throws(BackpropError) in try reader.skipValue() } }
    }

    /// The reader gets exactly the bytes of the prefix, so that a sanitizer detects a read after the end.
    @Test func everyPrefixIsRefused() {
        let json = Array("{\"k\\u0041\\\\\":\"v\\uD83D\\uDE00\",\"x\":\"y\"}".utf8)
        for count in 0..<json.count {
            expectFailure(.corrupt) { _ = try readObject(String(decoding: json[..<count], as: UTF8.self)) }
        }
    }

    private func readObject(_ json: String) throws(BackpropError) -> [String] {
        try read(json) { (reader) throws(BackpropError) in
            var members: [String] = []
            try reader.readObject { (key, reader) throws(BackpropError) in
                members.append("\(key)=\(try reader.readString())")
            }
            return members
        }
    }

    /// Reads a value that must be the whole text.
    private func read<Value>(
        _ json: String, _ body: (inout JSONReader) throws(BackpropError) -> Value
    ) throws(BackpropError) -> Value {
        try Array(json.utf8).withUnsafeBufferPointer { (bytes) throws(BackpropError) in
            var reader = JSONReader(bytes)
            let value = try body(&reader)
            try reader.expectEnd()
            return value
        }
    }
}
