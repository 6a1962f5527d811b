import Sys
import Testing

@testable import OCIRuntime

/// Bytes by `protoc` from the same values.
@Suite struct CRIUTests {
    @Test func numbers() {
        var writer = ProtocolBufferWriter()
        writer.number(1, 0)
        writer.number(2, 150)
        writer.number(38, 0x4000_0000)
        #expect(writer.bytes == [0x08, 0, 0x10, 0x96, 1, 0xb0, 2, 0x80, 0x80, 0x80, 0x80, 4])
    }

    @Test func negativeNumbersHaveTenBytes() {
        var options = CRIUOptions()
        options.set(.pid, -1)
        #expect(options.message.bytes == [0x10] + Array(repeating: 0xff, count: 9) + [1])
    }

    @Test func aRequest() {
        var options = CRIUOptions()
        options.set(.imagesDirectory, 5)
        options.set(.leaveRunning)
        options.set(.shellJob, false)
        options.set(.logFile, "a.log")
        options.add(externalMount: "/a", "/b")
        options.add(inherited: "k", 7)
        let content: [UInt8] =
            [8, 5, 0x18, 1, 0x52, 5] + Array("a.log".utf8)
            + [0xba, 1, 8, 0x0a, 2] + Array("/a".utf8) + [0x12, 2] + Array("/b".utf8)
            + [0xda, 1, 5, 0x0a, 1] + Array("k".utf8) + [0x10, 7]
        let request = CRIURequest(kind: .dump, options: options)
        #expect(request.bytes == [8, 1, 0x12, UInt8(content.count)] + content)
        #expect(CRIURequest(kind: .notify, success: true).bytes == [8, 6, 0x18, 1])
        #expect(CRIURequest(kind: .version, isFollowed: true).bytes == [8, 10, 0x20, 1])
    }

    @Test func longTexts() throws {
        let text = String(repeating: "x", count: 300)
        var writer = ProtocolBufferWriter()
        writer.text(3, text)
        #expect(writer.bytes.prefix(3) == [0x1a, 0xac, 2])
        var reader = ProtocolBufferReader(writer.bytes)
        let field = try reader.next()
        #expect(field?.field == 3)
        #expect(field?.value.text == text)
        #expect(try reader.next() == nil)
    }

    @Test func aVersion() throws {
        let response = try CRIUResponse([8, 10, 0x10, 1, 0x52, 6, 8, 3, 0x10, 17, 0x20, 1])
        #expect(response.success)
        #expect(response.version == .init(major: 3, minor: 17))
        #expect(response.version >= CRIU.oldest)
        #expect(CRIUResponse.Version(major: 4, minor: 0) > response.version)
    }

    @Test func aNotification() throws {
        let script = Array("post-restore".utf8)
        let response = try CRIUResponse(
            [8, 6, 0x10, 1, 0x2a, UInt8(script.count + 5), 0x0a, UInt8(script.count)] + script
                + [0x10, 0x92, 3])
        #expect(response.notification == .init(script: "post-restore", pid: 402))
    }

    @Test func aFailure() throws {
        let reason = Array("no".utf8)
        let response = try CRIUResponse([8, 1, 0x10, 0, 0x38, 3, 0x4a, 2] + reason)
        #expect(!response.success && response.errno == 3 && response.reason == "no")
    }

    /// Fields of other versions, and the other wire types, are passed over.
    @Test func unknownFields() throws {
        let response = try CRIUResponse(
            [0xfd, 1, 1, 2, 3, 4, 0xf9, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 1, 0xfa, 1, 1, 9])
        #expect(response.success)
    }

    @Test(
        arguments: [
            [0x08], [0x08, 0xff], [0x12, 5, 1], [0x0b], [0x2a, 2, 0x0a, 9],
            [0x52, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            [UInt8](repeating: 0xff, count: 20), [0x0d, 1],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(throws: SysError.self) { try CRIUResponse(bytes) }
    }

    @Test func aNumberThatIsTooLargeIsNone() throws {
        let response = try CRIUResponse([0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 1])
        #expect(response.errno == 0)
    }

    @Test func theErrorsOfALog() {
        let log = """
            (00.000001) Version: 3.17.1
            (00.000002)    12: Error (criu/a.c:1): one
            (00.000003) pie: 3: Error (criu/b.c:2): two
            (00.000004) Dumping
            (00.000005) Error (criu/c.c:3): three

            """
        #expect(
            CRIULog.lastErrors(in: Array(log.utf8)) == [
                "Error (criu/a.c:1): one", "Error (criu/b.c:2): two", "Error (criu/c.c:3): three",
            ])
        #expect(CRIULog.lastErrors(in: Array("a\n\nb\n".utf8)) == ["a", "b"])
        #expect(CRIULog.lastErrors(in: []).isEmpty)
    }
}
