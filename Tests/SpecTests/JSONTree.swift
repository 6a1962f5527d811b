@testable import Spec

/// A JSON document that a test can change at any place.
indirect enum JSONTree: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONTree])
    case object([(name: String, value: JSONTree)])

    /// Parses with the parser of the module.
    init(parsing text: String) throws(ConfigError) {
        try self.init(try JSONValue(parsing: Array(text.utf8)))
    }

    init(_ value: JSONValue) throws(ConfigError) {
        switch value.kind {
        case .null: self = .null
        case .bool: self = .bool(try value.bool())
        case .number: self = .number(try value.number())
        case .string: self = .string(try value.string())
        case .array: self = .array(try value.list(JSONTree.init))
        case .object:
            self = .object(try value.map(JSONTree.init).entries.map { ($0.key, $0.value) })
        }
    }

    var bytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let text): writer.raw(Array(text.utf8))
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.array { array in
                for element in elements {
                    array.element()
                    element.write(to: &array)
                }
            }
        case .object(let members):
            writer.object { object in
                for member in members {
                    object.key(member.name)
                    member.value.write(to: &object)
                }
            }
        }
    }

    /// Calls a function with every value in the document, its JSON pointer, and a function that
    /// makes the document with another value, or with none, in its place.
    func forEachValue(_ body: (JSONTree, String, (JSONTree?) -> JSONTree?) -> Void) {
        for (value, place, path) in descendants(place: "", path: []) {
            body(value, place, { new in replacing(path[...], with: new) })
        }
    }

    private func descendants(
        place: String, path: [Int]
    ) -> [(value: JSONTree, place: String, path: [Int])] {
        var found = [(self, place, path)]
        switch self {
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                found += element.descendants(place: "\(place)/\(index)", path: path + [index])
            }
        case .object(let members):
            for (index, member) in members.enumerated() {
                // Deliberately not the module's own escaping.
                let name = member.name.split(separator: "~", omittingEmptySubsequences: false)
                    .joined(separator: "~0")
                    .split(separator: "/", omittingEmptySubsequences: false)
                    .joined(separator: "~1")
                found += member.value.descendants(place: "\(place)/\(name)", path: path + [index])
            }
        default: break
        }
        return found
    }

    private func replacing(_ path: ArraySlice<Int>, with new: JSONTree?) -> JSONTree? {
        guard let index = path.first else { return new }
        switch self {
        case .array(var elements):
            let element = elements[index].replacing(path.dropFirst(), with: new)
            elements.replaceSubrange(index...index, with: element.map { [$0] } ?? [])
            return .array(elements)
        case .object(var members):
            let (name, value) = members[index]
            let other = value.replacing(path.dropFirst(), with: new)
            members.replaceSubrange(index...index, with: other.map { [(name, $0)] } ?? [])
            return .object(members)
        default:
            return nil
        }
    }

    static func == (left: JSONTree, right: JSONTree) -> Bool { left.bytes == right.bytes }
}

/// What decoding or validating a document says: the error, or nil.
func configError(_ document: [UInt8]) -> ConfigError? {
    do throws(ConfigError) {
        _ = try Config(parsing: document)
        return nil
    } catch {
        return error
    }
}

/// The same for a text.
func configError(_ document: String) -> ConfigError? {
    configError(Array(document.utf8))
}

/// What parsing alone says.
func parseError(_ document: [UInt8]) -> ConfigError? {
    do throws(ConfigError) {
        _ = try JSONValue(parsing: document)
        return nil
    } catch {
        return error
    }
}

/// The same for a text.
func parseError(_ document: String) -> ConfigError? {
    parseError(Array(document.utf8))
}
