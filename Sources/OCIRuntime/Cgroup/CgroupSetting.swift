import Glibc
import Spec
import Sys

extension Cgroup {
    /// Writes one setting.
    ///
    /// What a kernel may lack without harm is passed over here: the reservation limits of huge pages,
    /// swap files where swap is to be off or unlimited anyway; and BFQ's weights stand in for the
    /// general ones and the other way round.
    /// - Parameter controller: names the v1 hierarchy; empty on v2.
    package mutating func set(
        _ controller: String, _ file: String, _ value: String
    ) throws(SysError) {
        let directory = controller.isEmpty ? members.first : directory(of: controller)
        guard let directory else {
            throw .refused(
                "cannot set \(controller) limit: container could not join or create cgroup (\(file))",
                hint: "this user may not make cgroups there; ask for a delegated cgroup")
        }
        emptyCpusetFiles.removeAll { $0.utf8.elementsEqual(file.utf8) }
        do throws(SysError) {
            try write(value, to: file, in: directory)
        } catch let error where error.errno == ENOENT {
            if let (file, value) = substitute(file, value) {
                try writeFile("\(directory.full)/\(file)", value)
            } else if !isDispensable(file, value) {
                throw error.hinting(absenceHint(file, directory))
            }
        } catch {
            let fault = CgroupFault(file: file, value: value, directory: directory.full)
            throw fault.hint(error.errno).map { error.hinting($0) } ?? error
        }
    }

    private func write(
        _ value: String, to file: String, in directory: Directory
    ) throws(SysError) {
        do throws(SysError) {
            try writeFile("\(directory.full)/\(file)", value)
        } catch  where error.errno == EACCES && isCpuset(file, directory) {
            try fillCpusets(above: directory, file)
            try writeFile("\(directory.full)/\(file)", value)
        }
    }

    func substitute(_ file: String, _ value: String) -> (file: String, value: String)? {
        switch file {
        case "blkio.weight": return ("blkio.bfq.weight", value)
        case "blkio.weight_device": return ("blkio.bfq.weight_device", value)
        case "io.bfq.weight":
            let parts = value.utf8.split(separator: UInt8(ascii: " "))
            guard let last = parts.last, let weight = UInt16(Substring(last)) else { return nil }
            let scope = parts.count == 2 ? "\(Substring(parts[0])) " : ""
            return ("io.weight", "\(scope)\(CgroupPlanner.ioWeight(weight))")
        default: return nil
        }
    }

    private func isDispensable(_ file: String, _ value: String) -> Bool {
        switch file {
        case "memory.swap.max": value == "max" || value == "0"
        case "memory.memsw.limit_in_bytes": value == "-1"
        default:
            file.utf8.starts(with: "hugetlb.".utf8)
                && file.utf8.split(separator: UInt8(ascii: ".")).contains {
                    $0.elementsEqual("rsvd".utf8)
                }
        }
    }

    private func absenceHint(_ file: String, _ directory: Directory) -> String {
        if !exists(directory.full) { return "the container's cgroup has been removed" }
        if directory.isUnified, let dot = file.utf8.firstIndex(of: UInt8(ascii: ".")) {
            let controller = file.utf8[..<dot]
            let enabled = (try? words(readFile("\(directory.full)/cgroup.controllers"))) ?? []
            if !enabled.contains(where: { $0.utf8.elementsEqual(controller) }) {
                return "the controller \(Substring(controller)) is not enabled there: the parent's "
                    + "cgroup.subtree_control must list it, which a parent with processes cannot"
            }
        }
        if file == "memory.memsw.limit_in_bytes" || file == "memory.swap.max" {
            return "the kernel does not account for swap; boot with swapaccount=1"
        }
        return "this kernel has no such setting"
    }
}

// MARK: - Devices

extension Cgroup {
    /// Restricts access to devices to what the rules of ``CgroupPlanner`` allow.
    package func restrictDevices(_ rules: [Resources.DeviceRule]) throws(SysError) {
        if isUnified {
            try attach(DeviceProgram(rules))
            return
        }
        guard let directory = directory(of: "devices") else {
            throw .refused("the container has no cgroup of the devices controller")
        }
        let deny = try openFile("\(directory.full)/devices.deny", O_WRONLY)
        let allow = try openFile("\(directory.full)/devices.allow", O_WRONLY)
        for rule in rules { try write(rule, rule.allow ? allow.raw : deny.raw) }
    }

    private func write(_ rule: Resources.DeviceRule, _ file: Int32) throws(SysError) {
        do throws(SysError) {
            try Fd.writeOnce(file, rule.line)
        } catch {
            throw SysError(
                "write(devices.\(rule.allow ? "allow" : "deny"), \"\(rule.line)\")", error.errno,
                hint: error.errno == EPERM
                    ? "the parent cgroup does not allow that device" : nil)
        }
    }

    /// Attached beside the programs of a cgroup that was there already, which go afterwards: at no
    /// moment less is denied.
    private func attach(_ program: DeviceProgram) throws(SysError) {
        let directory = try openFile(members[0].full, O_RDONLY | O_DIRECTORY)
        let isNew = made.contains { $0.utf8.elementsEqual(members[0].full.utf8) }
        let old = isNew ? [] : try devicePrograms(of: directory.raw)
        do throws(SysError) {
            let loaded = try loadDeviceProgram(program.instructions)
            try attachDeviceProgram(loaded.raw, to: directory.raw)
        } catch let error where error.errno == EPERM {
            throw error.hinting("device programs need CAP_BPF or CAP_SYS_ADMIN on the host")
        }
        for id in old { try detachDeviceProgram(id: id, from: directory.raw) }
    }
}
