import Testing

@testable import Spec

@Suite struct ContainerIDTests {
    @Test(arguments: [
        "a", "A-b_c+d.e", "0", "...", "-rf", "..a", String(repeating: "x", count: 255),
    ])
    func idIsTaken(id: String) throws {
        #expect(try ContainerID(id).description == id)
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "/", "a b", "é", "a\n", "a\u{0}", "a\\b", "~", "a:b", "*",
        String(repeating: "x", count: 256), String(repeating: "y", count: 10_240),
    ])
    func idIsRefused(id: String) {
        var error: ConfigError?
        do throws(ConfigError) { _ = try ContainerID(id) } catch let found { error = found }
        #expect(
            error?.message.hasPrefix(
                id.isEmpty ? "container id cannot be empty" : "invalid container ID format: \"")
                == true)
        #expect(error?.message.utf8.count ?? 0 < 200)
        #expect(error?.message.contains("\n") == false)
    }
}
