import Init
public struct PlanReport { public init(_ p: Plan) {}; public var text: String { "" }; public var json: [UInt8] { [] } }
