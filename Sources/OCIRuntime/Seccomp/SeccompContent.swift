import CSeccomp
import Spec

/// All that decides what a profile compiles to, as bytes: two profiles have the same bytes only if
/// they are the same.
struct SeccompContent {
    private(set) var bytes: [UInt8] = []

    init(_ seccomp: Seccomp) {
        bytes.reserveCapacity(8192)
        addCompiler()
        add(seccomp.defaultAction.rawValue)
        add(seccomp.defaultErrnoRet)
        add(seccomp.architectures) { $0.add($1.rawValue) }
        add(seccomp.flags == nil ? UInt8(0) : 1)
        add(seccomp.flags ?? []) { $0.add($1.rawValue) }
        add(seccomp.listenerPath)
        add(seccomp.listenerMetadata)
        add(seccomp.syscalls) { content, rule in
            content.add(rule.names) { $0.add($1) }
            content.add(rule.action.rawValue)
            content.add(rule.errnoRet)
            content.add(rule.args) { content, argument in
                content.add(argument.index)
                content.add(argument.value)
                content.add(argument.valueTwo)
                content.add(argument.op.rawValue)
            }
        }
    }

    /// The compiler, the numbers that libseccomp knows, and the machine. The kernel has no part in
    /// it.
    private mutating func addCompiler() {
        add(SeccompCompiler.revision)
        add(seccomp_arch_native())
        if let version = unsafe seccomp_version() {
            add(unsafe version.pointee.major)
            add(unsafe version.pointee.minor)
            add(unsafe version.pointee.micro)
        }
    }

    private mutating func add(_ number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number) { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func add(_ number: UInt32?) {
        add(number == nil ? UInt8(0) : 1)
        add(number ?? 0)
    }

    private mutating func add(_ text: String) {
        add(UInt32(truncatingIfNeeded: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func add(_ text: String?) {
        add(text == nil ? UInt8(0) : 1)
        add(text ?? "")
    }

    private mutating func add<Element>(
        _ list: [Element], _ add: (inout SeccompContent, Element) -> Void
    ) {
        self.add(UInt32(truncatingIfNeeded: list.count))
        for element in list { add(&self, element) }
    }
}
