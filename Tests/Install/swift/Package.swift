// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "installed",
    targets: [
        .systemLibrary(name: "CBackprop", pkgConfig: "backprop", providers: [.apt(["libbackprop-dev"])]),
        .executableTarget(name: "installed", dependencies: ["CBackprop"]),
    ]
)
