extension Resources {
    /// The block I/O controller (config-linux.md, "Block IO").
    public struct BlockIO: Sendable, Equatable {
        /// The weight on one device.
        public struct WeightDevice: Sendable, Equatable {
            /// The device's major number.
            public var major: Int64
            /// The device's minor number.
            public var minor: Int64
            /// The weight.
            public var weight: UInt16?
            /// The weight against the cgroup's children.
            public var leafWeight: UInt16?

            /// Makes a weight.
            public init(
                major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil
            ) {
                self.major = major
                self.minor = minor
                self.weight = weight
                self.leafWeight = leafWeight
            }
        }

        /// A rate limit on one device.
        public struct ThrottleDevice: Sendable, Equatable {
            /// The device's major number.
            public var major: Int64
            /// The device's minor number.
            public var minor: Int64
            /// Bytes or operations per second.
            public var rate: UInt64

            /// Makes a limit.
            public init(major: Int64, minor: Int64, rate: UInt64) {
                self.major = major
                self.minor = minor
                self.rate = rate
            }
        }

        /// The weight on all devices without one of their own.
        public var weight: UInt16?
        /// The weight against the cgroup's children.
        public var leafWeight: UInt16?
        /// The weights by device.
        public var weightDevice: [WeightDevice]
        /// Bytes read per second, by device.
        public var throttleReadBpsDevice: [ThrottleDevice]
        /// Bytes written per second, by device.
        public var throttleWriteBpsDevice: [ThrottleDevice]
        /// Reads per second, by device.
        public var throttleReadIOPSDevice: [ThrottleDevice]
        /// Writes per second, by device.
        public var throttleWriteIOPSDevice: [ThrottleDevice]

        /// Makes a set of limits.
        public init(
            weight: UInt16? = nil, leafWeight: UInt16? = nil, weightDevice: [WeightDevice] = [],
            throttleReadBpsDevice: [ThrottleDevice] = [],
            throttleWriteBpsDevice: [ThrottleDevice] = [],
            throttleReadIOPSDevice: [ThrottleDevice] = [],
            throttleWriteIOPSDevice: [ThrottleDevice] = []
        ) {
            self.weight = weight
            self.leafWeight = leafWeight
            self.weightDevice = weightDevice
            self.throttleReadBpsDevice = throttleReadBpsDevice
            self.throttleWriteBpsDevice = throttleWriteBpsDevice
            self.throttleReadIOPSDevice = throttleReadIOPSDevice
            self.throttleWriteIOPSDevice = throttleWriteIOPSDevice
        }
    }
}

extension Resources.BlockIO {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        let throttle = ThrottleDevice.init(json:)
        self.init(
            weight: try object.integer("weight"),
            leafWeight: try object.integer("leafWeight"),
            weightDevice: try object.list("weightDevice", WeightDevice.init(json:)) ?? [],
            throttleReadBpsDevice: try object.list("throttleReadBpsDevice", throttle) ?? [],
            throttleWriteBpsDevice: try object.list("throttleWriteBpsDevice", throttle) ?? [],
            throttleReadIOPSDevice: try object.list("throttleReadIOPSDevice", throttle) ?? [],
            throttleWriteIOPSDevice: try object.list("throttleWriteIOPSDevice", throttle) ?? [])
    }
}

extension Resources.BlockIO.WeightDevice {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            major: try object.required("major").integer(),
            minor: try object.required("minor").integer(),
            weight: try object.integer("weight"),
            leafWeight: try object.integer("leafWeight"))
    }
}

extension Resources.BlockIO.ThrottleDevice {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            major: try object.required("major").integer(),
            minor: try object.required("minor").integer(),
            rate: try object.required("rate").integer())
    }
}
