import Spec
extension Runtime { public static func features(version: String) -> Features { Features(ociVersionMin: "1.0.0", ociVersionMax: specVersion) } }
