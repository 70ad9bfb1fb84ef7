// swift-tools-version: 6.2
import PackageDescription

// The trait "Embedded" builds the shared library without a Swift runtime; without it the same sources are an ordinary
// Swift package.
let embedded = "Embedded"

/// What every Swift target is built with. Kernels and networks check sizes themselves, so the compiler's own checks
/// (which would trap, and take the host down) are off.
func settings(_ optimization: [String], _ extra: [SwiftSetting] = []) -> [SwiftSetting] {
    [
        .enableExperimentalFeature("Embedded", .when(traits: [embedded])),
        .unsafeFlags(optimization + ["-wmo", "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"]),
    ] + extra
}

/// For loops over numbers; and for what surrounds them, where size counts for more.
let fast = ["-Ounchecked"]
let small = ["-Osize", "-assert-config", "Unchecked", "-Xfrontend", "-remove-runtime-asserts"]

/// Words for the linker.
func linker(_ words: [String]) -> [String] {
    words.flatMap { ["-Xlinker", $0] }
}

/// The instructions of a level of x86-64; elsewhere the modules for them are there, and nobody calls them.
func instructions(_ words: [String]) -> [SwiftSetting] {
    #if arch(x86_64)
    [.unsafeFlags(words.flatMap { ["-Xcc", $0] })]
    #else
    []
    #endif
}
let avx2 = [.define("FMA")] + instructions(["-march=x86-64-v3"])
let avx512 = [.define("FMA"), .define("AVX512")] + instructions(["-march=x86-64-v4", "-mprefer-vector-width=512"])

let package = Package(
    name: "libbackprop",
    products: [
        .library(name: "Backprop", targets: ["Backprop"]),
        .library(name: "backprop", type: .dynamic, targets: ["BackpropC"]),
    ],
    traits: [.trait(name: "Embedded", description: "Build the shared library, in Embedded Swift.")],
    targets: [
        .systemLibrary(name: "CBackprop", path: "include"),
        .target(
            name: "CPlatform",
            cSettings: [.define("BACKPROP_EMBEDDED", .when(traits: [embedded])), .unsafeFlags(["-fvisibility=hidden", "-ffunction-sections"])],
            linkerSettings: [.linkedLibrary("ffi")]),
        .target(name: "Kernels", dependencies: ["CPlatform"], swiftSettings: settings(fast)),
        .target(name: "KernelsAVX2", dependencies: ["CPlatform"], swiftSettings: settings(fast, avx2)),
        .target(name: "KernelsAVX512", dependencies: ["CPlatform"], swiftSettings: settings(fast, avx512)),
        .target(
            name: "Backprop", dependencies: ["CPlatform", "Kernels", "KernelsAVX2", "KernelsAVX512"],
            swiftSettings: settings(small)),
        .target(
            name: "BackpropC", dependencies: ["Backprop", "CBackprop"], exclude: ["exports.map"], swiftSettings: settings(small),
            linkerSettings: [
                .linkedLibrary("m"),
                .unsafeFlags(
                    ["-use-ld=lld"]
                        + linker([
                            "--version-script=\(Context.packageDirectory)/Sources/BackpropC/exports.map",
                            "-soname=libbackprop.so.1", "-z", "nodelete", "--gc-sections", "--icf=all",
                        ])),
                // CPlatform/reserve.h says what for.
                .unsafeFlags(linker(["--wrap=posix_memalign", "--wrap=free"]), .when(traits: [embedded])),
            ]),
        .testTarget(
            name: "BackpropTests", dependencies: ["Backprop", "CPlatform"],
            swiftSettings: [.unsafeFlags(["-O"])]),
    ]
)
