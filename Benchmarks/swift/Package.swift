// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "benchmark",
    dependencies: [.package(name: "libbackprop", path: "../..")],
    targets: [
        .executableTarget(name: "worker", dependencies: [.product(name: "Backprop", package: "libbackprop")])
    ]
)
