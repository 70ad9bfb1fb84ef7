// swift-tools-version: 6.2
import PackageDescription

// The trait "Embedded" builds the shared library without a Swift runtime; without it the same sources are an ordinary
// Swift package.
let embedded = "Embedded"

/// SwiftPM refuses unsafe flags in a package that another one uses by version. It keeps such packages in these folders. The
/// product Backprop is built without unsafe flags there: slower, with the kernels of the baseline alone (docs/install.md).
let isUsedByVersion = ["/checkouts/", "/registry/downloads/"].contains { Context.packageDirectory.contains($0) }

/// The settings of every Swift target. Kernels and networks check sizes themselves, so the compiler's own checks are off: they
/// would trap and end the host.
func settings(_ optimization: [String], _ extra: [String] = []) -> [SwiftSetting] {
    let common = ["-wmo", "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"]
    return [.enableExperimentalFeature("Embedded", .when(traits: [embedded]))]
        + (isUsedByVersion ? [] : [.unsafeFlags(optimization + common + extra)])
}

/// `fast` is for loops over numbers, `small` for all other code, where size matters more: a function that takes a closure is not
/// copied for each closure, and repeated sequences of instructions become functions. The compiler would unroll all loops over
/// numbers, most without a gain; `byFour` (Kernels/Vectors) does so where it is faster.
let fast = ["-Ounchecked", "-Xllvm", "-unroll-runtime=false"]
let small = [
    "-Osize", "-assert-config", "Unchecked", "-Xfrontend", "-remove-runtime-asserts", "-Xllvm",
    "-sil-disable-pass=closure-specialize", "-Xllvm", "-enable-machine-outliner=always",
]

/// For C: only what BackpropC exports is visible outside of the library.
let hidden: [CSetting] =
    isUsedByVersion ? [.define("CP_BASELINE_ONLY")] : [.unsafeFlags(["-fvisibility=hidden", "-ffunction-sections"])]

let embeddedC: [CSetting] = [.define("BACKPROP_EMBEDDED", .when(traits: [embedded]))]

/// Options for the linker.
func linker(_ words: [String]) -> [String] {
    words.flatMap { ["-Xlinker", $0] }
}

/// Kernels for an instruction set, in a folder of links to those of Sources/Kernels, and the options of Clang for them. For other
/// architectures, the targets are empty.
func kernels(_ name: String, _ options: [String]) -> Target {
    .target(name: name, dependencies: ["CKernels"], swiftSettings: settings(fast, options.flatMap { ["-Xcc", $0] }))
}

/// Options of Clang for x86-64 only.
func x86(_ options: [String]) -> [String] {
    ["-Wno-unused-command-line-argument"] + options.flatMap { ["-Xarch_x86_64", $0] }
}

/// One line for each instruction set; CKernels/include/instruction_sets.h has the other.
let wideKernels =
    isUsedByVersion
    ? []
    : [
        kernels("KernelsAVX2", x86(["-march=x86-64-v3"])),
        kernels("KernelsAVX512", x86(["-march=x86-64-v4", "-mprefer-vector-width=512"])),
        kernels("KernelsNEON", ["-DCP_FUSES"]),
    ]

let package = Package(
    name: "libbackprop",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [
        .library(name: "Backprop", targets: ["Backprop"]),
        .library(name: "backprop", type: .dynamic, targets: ["BackpropC", "SharedLibrary"]),
        .executable(name: "backprop-command", targets: ["BackpropCommand"]),
    ],
    traits: [.trait(name: "Embedded", description: "Build the shared library, in Embedded Swift.")],
    targets: [
        .systemLibrary(name: "CBackprop", path: "include"),
        .target(name: "CKernels", cSettings: hidden),
        .target(name: "Kernels", dependencies: ["CKernels"], swiftSettings: settings(fast)),
        .target(
            name: "CPlatform", cSettings: embeddedC + hidden,
            linkerSettings: [.linkedLibrary("ffi", .when(platforms: [.linux, .macOS])), .linkedLibrary("m")]),
        .target(
            name: "Backprop",
            dependencies: ["CKernels", "CPlatform", "Kernels"] + wideKernels.map { .target(name: $0.name) },
            swiftSettings: settings(small)),
        .target(
            name: "BackpropC", dependencies: ["Backprop", "CBackprop"], swiftSettings: settings(small),
            linkerSettings: [
                .unsafeFlags(["-use-ld=lld"] + linker(["--gc-sections", "--icf=all"]), .when(platforms: [.linux])),
                // CPlatform/reserve.h says why.
                .unsafeFlags(linker(["--wrap=posix_memalign", "--wrap=free"]), .when(platforms: [.linux], traits: [embedded])),
            ]),
        .target(
            name: "SharedLibrary", exclude: ["exports.map"], publicHeadersPath: ".",
            linkerSettings: [
                .unsafeFlags(
                    linker([
                        "--version-script=\(Context.packageDirectory)/Sources/SharedLibrary/exports.map",
                        "-soname=libbackprop.so.1", "-z", "nodelete",
                    ]), .when(platforms: [.linux])),
                .unsafeFlags(
                    linker(["-exported_symbol", "_bp_*", "-install_name", "@rpath/libbackprop.1.dylib", "-dead_strip"]),
                    .when(platforms: [.macOS])),
            ]),
        .target(name: "CConsole", cSettings: embeddedC + hidden),
        .executableTarget(
            name: "BackpropCommand", dependencies: ["Backprop", "BackpropC", "CBackprop", "CConsole", "CPlatform"],
            swiftSettings: settings(small)),
        .testTarget(
            name: "BackpropTests", dependencies: ["Backprop", "CKernels", "CPlatform"],
            swiftSettings: [.unsafeFlags(["-O"])]),
    ] + wideKernels
)
