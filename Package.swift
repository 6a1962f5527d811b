// swift-tools-version: 6.2
import PackageDescription

/// Language mode 6 with warnings as errors; glibc's GNU interfaces on every target, or the first
/// clean build fails on `fd_set`.
let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]
let gnu: [CSetting] = [.define("_GNU_SOURCE")]
let sources = common + [.strictMemorySafety()]
/// Shown by `--version`; `make` sets it.
let commit = Context.environment["SWRUNC_COMMIT"].flatMap { $0.isEmpty ? nil : $0 } ?? "unknown"

let package = Package(
    name: "swrunc",
    products: [
        .executable(name: "swrunc", targets: ["swrunc"]),
        .library(name: "OCIRuntime", targets: ["OCIRuntime"]),
    ],
    targets: [
        .target(name: "CSys", path: "Sources/CSys/kernel", cSettings: gnu),
        .target(
            name: "CVersion", path: "Sources/CSys/version",
            cSettings: gnu + [.define("SWRUNC_COMMIT", to: "\"\(commit)\"")]),
        .target(
            name: "CEntry", dependencies: ["CSys"], path: "Sources/CSys/entry", cSettings: gnu),
        .systemLibrary(name: "CYajl", path: "Sources/CSys/yajl"),
        .systemLibrary(name: "CSeccomp", path: "Sources/CSys/seccomp"),
        .systemLibrary(name: "CCap", path: "Sources/CSys/cap"),
        .target(name: "Sys", dependencies: ["CSys"], cSettings: gnu, swiftSettings: sources),
        .target(name: "Spec", dependencies: ["CYajl"], cSettings: gnu, swiftSettings: sources),
        .target(
            name: "Init", dependencies: ["Sys", "Spec", "CCap"],
            cSettings: gnu, swiftSettings: sources),
        .target(
            name: "OCIRuntime", dependencies: ["Init", "Sys", "Spec", "CSeccomp"],
            cSettings: gnu, swiftSettings: sources),
        .target(name: "Arguments", cSettings: gnu, swiftSettings: sources),
        .executableTarget(
            name: "swrunc",
            dependencies: ["OCIRuntime", "Spec", "Sys", "Arguments", "CVersion", "CEntry"],
            cSettings: gnu, swiftSettings: sources),
        .testTarget(
            name: "SysTests", dependencies: ["Sys"], cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "InitTests", dependencies: ["Init", "Spec", "Sys"],
            cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "SpecTests", dependencies: ["Spec"], cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "ArgumentsTests", dependencies: ["Arguments"],
            cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "swruncTests", dependencies: ["swrunc", "Arguments", "Sys"],
            cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "OCIRuntimeTests", dependencies: ["OCIRuntime", "Init", "Spec", "Sys"],
            cSettings: gnu, swiftSettings: common),
        .testTarget(
            name: "Conformance", path: "conformance",
            exclude: ["probe", "fixtures", "runtime-tools.sh", "sweep", "vm"],
            cSettings: gnu, swiftSettings: common),
    ]
)
