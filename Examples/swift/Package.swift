// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "digits",
    dependencies: [.package(name: "libbackprop", path: "../..")],
    targets: [
        .executableTarget(name: "digits", dependencies: [.product(name: "Backprop", package: "libbackprop")])
    ]
)
