// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "host",
    dependencies: [.package(name: "libbackprop", path: "../../..")],
    targets: [
        .executableTarget(name: "host", dependencies: [.product(name: "Backprop", package: "libbackprop")])
    ]
)
