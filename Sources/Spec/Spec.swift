/// The version of the OCI runtime-spec that this module implements.
public let specVersion = "1.3.0"
