import Glibc
import Spec
import Sys

extension Performer {
    /// Performs one step of the init.
    mutating func perform(_ step: Step) throws(SysError) {
        switch step.action {
        case .joinCgroup: try joinCgroup()
        case .joinNamespaces(let types): try joinNamespaces(types)
        case .becomeNamespaceRoot(let other): try becomeNamespaceRoot(otherwise: other)
        case .enterPidNamespace: try enterPidNamespace()
        case .newSession: try newSession()
        case .newNamespaces(let types):
            try Sys.unshare(types.reduce(0) { $0 | $1.kind.rawValue })
        case .newSessionKeyring(let name): try newSessionKeyring(name)
        case .bringUpLoopback: try bringUp(interface: "lo")

        case .setOOMScoreAdj(let value): try setOOMScoreAdj(value)
        case .setRlimit(let type, let soft, let hard): try setRlimit(type, soft: soft, hard: hard)
        case .setScheduler(let scheduler): try setScheduler(scheduler)
        case .setIOPriority(let priority): try setIOPriority(priority)
        case .setMemoryPolicy(let policy): try setMemoryPolicy(policy)
        case .setCPUAffinity(let cpus): try setCPUAffinity(cpus)
        case .resetCPUAffinity: try resetAffinity()
        case .setPersonality(let domain): try setPersonality(of: domain)

        case .setPropagation(let flags): try setPropagation(flags)
        case .openRoot(let path, let isPrivate): try openRoot(path, isPrivate: isPrivate)
        case .openDetachedRoot(let path): try openDetachedRoot(path)
        case .mount(let mount): try self.mount(mount)
        case .unmount(let path): try unmount(path)
        case .makeDevice(let device): try makeDevice(device)
        case .bindDevice(let device): try bindDevice(device)
        case .makeSymlink(let target, let path): try makeSymlink(target, at: path)
        case .openConsole(let size): try openConsole(size)
        case .pivotRoot: try pivotRoot()
        case .moveRoot: try moveRoot()
        case .changeRoot: try changeRoot()
        case .setRootPropagation(let flags): try setRootPropagation(flags)
        case .makeRootReadOnly: try makeRootReadOnly()
        case .makeMountReadOnly(let path): try makeMountReadOnly(path)
        case .setSysctl(let path, let value): try setSysctl(path, value)
        case .maskPath(let path): try maskPath(path)
        case .makePathReadOnly(let path): try makePathReadOnly(path)
        case .setHostname(let name): try Sys.setHostname(name)
        case .setDomainname(let name): try Sys.setDomainname(name)

        case .runHook(let kind, let hook): try runHook(kind, hook)
        case .makeWorkingDirectory(let path): try makeWorkingDirectory(path)
        case .findExecutable: try findExecutable()
        case .waitForStart: try waitForStart()
        case .setUmask(let mask): Sys.setUmask(mask)
        case .changeDirectory(let path): try changeDirectory(path)
        case .setAppArmorProfile(let profile): try setAppArmorProfile(profile)
        case .setSELinuxLabel(let label): try setSELinuxLabel(label)
        case .setNoNewPrivileges:
            try processControl(.setNoNewPrivileges, 1)
        case .setIdentity(let identity): try becomeUser(identity)
        case .applySeccomp: try applySeccomp()
        case .execute: try execute()

        case .createCgroup, .startScope, .openCgroup, .setCgroup, .restrictDevices, .delegateCgroup,
            .openNamespace,
            .openMountSource, .openIDMap, .mapMountSource, .connect, .listenForStart,
            .listenForExec, .receiveNamespaces, .loadSeccomp,
            .raiseRlimit,
            .clone, .writeIDMappings, .confirmScope, .takeSeccomp, .openHookOutput, .enterSubCgroup,
            .moveNetDevice, .openResctrlGroup, .setSchemata, .makeMonitoringGroup,
            .joinResctrlGroup:
            throw .refused("a step of the host is not the init's")
        }
    }
}
