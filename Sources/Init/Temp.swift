import Spec
extension State { var json: [UInt8] { [] } }
extension ContainerProcessState { var json: [UInt8] { [] } }
