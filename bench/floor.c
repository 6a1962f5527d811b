// floor: the least that `run` of a default container can cost on this kernel.
//
//   floor run ROOTFS ID PROGRAM [ARG ...]    only the calls that starting the container needs
//   floor full ROOTFS ID PROGRAM [ARG ...]   also everything else that `runc spec`'s config asks for
//   floor start                              nothing: what the start of a static process costs
//
// No config is read, no state is written, no argument is checked, and nothing is reported but the
// failing call. That is what a runtime adds; this program is what it cannot go below.
//
// `run`:
//   - one cgroup in every mounted cgroup v1 hierarchy (cpuset gets its parent's cpus and mems); on
//     a host with cgroup v2 only, one cgroup, entered by CLONE_INTO_CGROUP
//   - clone3 with new pid, net, ipc, uts, mnt and cgroup namespaces
//   - the child moves itself into the v1 cgroups by writing 0 to `tasks`
//   - mounts made private to the namespace, the root file system bind mounted
//   - proc, a tmpfs on /dev, devpts, a tmpfs on /dev/shm, mqueue, sysfs
//   - null, zero, full, random, urandom, tty; the links ptmx, fd, stdin, stdout, stderr
//   - pivot_root, loopback up, sethostname, execve; then wait, and rmdir of the cgroups
// `full` adds:
//   - the device rules: all denied, then the default devices allowed
//   - /sys/fs/cgroup: a tmpfs with every v1 hierarchy of the container, read-only
//   - 3 masked files or directories and 5 read-only paths as far as they exist, a read-only root
//   - RLIMIT_NOFILE, the capability sets, no_new_privs, a session of its own

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

// Built with -DTIMELINE, every stage of `run` and `full` is timed, and printed on stderr at the end
// as `stage<TAB>microseconds since the stage before`. The page is shared: the child writes to it.
#ifdef TIMELINE
#include <time.h>

static struct {
    int count;
    struct {
        const char *stage;
        double at;
    } marks[32];
} *timeline;

static void mark(const char *stage)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int index = __atomic_fetch_add(&timeline->count, 1, __ATOMIC_RELAXED);
    timeline->marks[index].stage = stage;
    timeline->marks[index].at = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void start_timeline(void)
{
    timeline = mmap(NULL, sizeof *timeline, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    mark("start");
}

static void print_timeline(void)
{
    for (int i = 1; i < timeline->count; i++)
        fprintf(stderr, "%s\t%.1f\n", timeline->marks[i].stage,
                timeline->marks[i].at - timeline->marks[i - 1].at);
}
#else
static void mark(const char *stage) { (void)stage; }
static void start_timeline(void) {}
static void print_timeline(void) {}
#endif

#define MAX_HIERARCHIES 24
#define PATH_SIZE 512

// One cgroup to make: a v1 hierarchy, or the v2 one.
struct hierarchy {
    char mount[128];
    char options[128];
    char path[PATH_SIZE];
    int is_cpuset, is_devices;
};

static struct hierarchy v1[MAX_HIERARCHIES];
static int v1_count;
static char v2_mount[128];
static int full;

static void fail(const char *call, const char *argument)
{
    int number = errno;
    char line[1024];
    int size = snprintf(line, sizeof line, "floor: %s(\"%s\"): %s\n", call, argument, strerror(number));
    if (write(2, line, (size_t)size) < 0) {}
    _exit(125);
}

#define TRY(call, argument, expression)                                                            \
    do {                                                                                           \
        if ((expression) < 0) fail(call, argument);                                                \
    } while (0)

static void write_file(const char *directory, const char *name, const char *value)
{
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    TRY("open", path, fd);
    TRY("write", path, write(fd, value, strlen(value)));
    close(fd);
}

// Reads the mounted hierarchies once: every runtime has to learn this too.
static void find_hierarchies(void)
{
    static char text[65536];
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    TRY("open", "/proc/self/mountinfo", fd);
    size_t size = 0;
    for (;;) {
        ssize_t count = read(fd, text + size, sizeof text - 1 - size);
        TRY("read", "/proc/self/mountinfo", count);
        if (count == 0) break;
        size += (size_t)count;
    }
    close(fd);
    text[size] = 0;
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n');
        if (!next) break;
        *next++ = 0;
        char *dash = strstr(line, " - cgroup");
        if (!dash) continue;
        char mount[128], type[16], options[128];
        if (sscanf(line, "%*s %*s %*s %*s %127s", mount) != 1) continue;
        if (sscanf(dash, " - %15s %*s %127s", type, options) != 2) continue;
        if (strcmp(type, "cgroup2") == 0) {
            memcpy(v2_mount, mount, sizeof v2_mount);
        } else if (v1_count < MAX_HIERARCHIES) {
            struct hierarchy *entry = &v1[v1_count++];
            memcpy(entry->mount, mount, sizeof entry->mount);
            const char *own = strchr(options, ',');
            snprintf(entry->options, sizeof entry->options, "%s", own ? own + 1 : "");
            entry->is_cpuset = strstr(options, "cpuset") != NULL;
            entry->is_devices = strstr(options, "devices") != NULL;
        }
    }
}

// A v1 cpuset is empty when it is made, and takes no process before it has cpus and mems.
static void inherit_cpuset(const struct hierarchy *entry)
{
    static const char *const names[] = {"cpuset.cpus", "cpuset.mems"};
    for (int i = 0; i < 2; i++) {
        char path[PATH_SIZE], value[256] = "";
        snprintf(path, sizeof path, "%s/%s", entry->mount, names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        TRY("open", path, fd);
        TRY("read", path, read(fd, value, sizeof value - 1));
        close(fd);
        write_file(entry->path, names[i], value);
    }
}

static void limit_devices(const struct hierarchy *entry)
{
    static const char *const allowed[] = {
        "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
        "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm",
    };
    write_file(entry->path, "devices.deny", "a");
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        write_file(entry->path, "devices.allow", allowed[i]);
}

static void make_cgroups(const char *id)
{
    for (int i = 0; i < v1_count; i++) {
        struct hierarchy *entry = &v1[i];
        snprintf(entry->path, sizeof entry->path, "%s/%s", entry->mount, id);
        TRY("mkdir", entry->path, mkdir(entry->path, 0755));
        if (entry->is_cpuset) inherit_cpuset(entry);
        if (full && entry->is_devices) limit_devices(entry);
    }
}

static void remove_cgroups(void)
{
    for (int i = 0; i < v1_count; i++) TRY("rmdir", v1[i].path, rmdir(v1[i].path));
}

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
                     const char *data)
{
    TRY("mount", target, mount(source, target, type, flags, data));
}

static void make_devices(void)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {
        {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
        {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
    };
    static const char *const links[][2] = {
        {"pts/ptmx", "dev/ptmx"},          {"/proc/self/fd", "dev/fd"},
        {"/proc/self/fd/0", "dev/stdin"},  {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"},
    };
    umask(0);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        TRY("mknod", nodes[i].path,
            mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        TRY("symlink", links[i][1], symlink(links[i][0], links[i][1]));
    umask(022);
}

// Working directory: the root file system, not yet pivoted to.
static void mount_filesystems(void)
{
    const unsigned long none = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    mount_at("proc", "proc", "proc", full ? 0 : none, NULL);
    mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    TRY("mkdir", "dev/pts", mkdir("dev/pts", 0755));
    TRY("mkdir", "dev/shm", mkdir("dev/shm", 0755));
    TRY("mkdir", "dev/mqueue", mkdir("dev/mqueue", 0755));
    mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
             "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_at("shm", "dev/shm", "tmpfs", none, "mode=1777,size=65536k");
    mount_at("mqueue", "dev/mqueue", "mqueue", none, NULL);
    mount_at("sysfs", "sys", "sysfs", none | MS_RDONLY, NULL);
}

static void mount_cgroups(void)
{
    const unsigned long none = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (v1_count == 0) {
        mount_at("cgroup", "sys/fs/cgroup", "cgroup2", none | MS_RDONLY, NULL);
        return;
    }
    mount_at("cgroup", "sys/fs/cgroup", "tmpfs", none, "mode=755");
    for (int i = 0; i < v1_count; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "sys/fs/cgroup/%s", strrchr(v1[i].mount, '/') + 1);
        TRY("mkdir", path, mkdir(path, 0755));
        mount_at("cgroup", path, "cgroup", none | MS_RDONLY, v1[i].options);
    }
    mount_at(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | none, NULL);
}

static void pivot(void)
{
    TRY("pivot_root", ".", syscall(SYS_pivot_root, ".", "."));
    TRY("umount2", ".", umount2(".", MNT_DETACH));
    TRY("chdir", "/", chdir("/"));
}

static void hide_paths(void)
{
    static const char *const masked[] = {
        "/proc/acpi",       "/proc/asound",     "/proc/kcore", "/proc/keys",    "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
    };
    static const char *const readonly[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    };
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
        if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno == ENOENT) continue;
            fail("mount", readonly[i]);
        }
        mount_at(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    }
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT) continue;
        if (errno != ENOTDIR) fail("mount", masked[i]);
        mount_at("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL);
    }
    mount_at(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

static void bring_loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    TRY("socket", "AF_INET", fd);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    TRY("ioctl", "SIOCSIFFLAGS lo", ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static void drop_privileges(void)
{
    const uint32_t kept = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
    for (int cap = 0; cap < 64; cap++) {
        if (cap < 32 && (kept & 1u << cap)) continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) break;  // EINVAL: past the last one
    }
    struct rlimit files = {1024, 1024};
    TRY("setrlimit", "RLIMIT_NOFILE", setrlimit(RLIMIT_NOFILE, &files));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2] = {{kept, kept, 0}, {0, 0, 0}};
    TRY("capset", "", syscall(SYS_capset, &header, sets));
    TRY("prctl", "PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void init(const char *rootfs, char **arguments)
{
    mark("clone3, until the child runs");
    for (int i = 0; i < v1_count; i++) write_file(v1[i].path, "tasks", "0");
    mark("joined the cgroups");
    mount_at(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount_at(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
    TRY("chdir", rootfs, chdir(rootfs));
    mark("private mounts, root bound");
    mount_filesystems();
    mark("six mounts");
    if (full) {
        mount_cgroups();
        mark("cgroup mounts");
    }
    make_devices();
    mark("device nodes and links");
    pivot();
    mark("pivot_root, old root detached");
    if (full) {
        hide_paths();
        mark("masked and read-only paths");
    }
    bring_loopback_up();
    mark("loopback up");
    TRY("sethostname", "floor", sethostname("floor", 5));
    if (full) {
        TRY("setsid", "", setsid());
        drop_privileges();
        mark("limits and capabilities");
    }
    char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    execve(arguments[0], arguments, environment);
    fail("execve", arguments[0]);
}

static int run(const char *rootfs, const char *id, char **arguments)
{
    start_timeline();
    find_hierarchies();
    mark("hierarchies found");
    make_cgroups(id);
    mark("cgroups made");
    struct clone_args clone = {
        .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS
                 | CLONE_NEWCGROUP,
        .exit_signal = SIGCHLD,
    };
    char v2_path[PATH_SIZE];
    int v2_only = v1_count == 0 && v2_mount[0];
    if (v2_only) {
        snprintf(v2_path, sizeof v2_path, "%s/%s", v2_mount, id);
        TRY("mkdir", v2_path, mkdir(v2_path, 0755));
        int fd = open(v2_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        TRY("open", v2_path, fd);
        clone.flags |= CLONE_INTO_CGROUP;
        clone.cgroup = (uint64_t)fd;
    }
    pid_t child = (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
    TRY("clone3", id, child);
    if (child == 0) init(rootfs, arguments);
    int status;
    TRY("waitpid", id, waitpid(child, &status, 0));
    mark("exec, the program, its end");
    remove_cgroups();
    if (v2_only) TRY("rmdir", v2_path, rmdir(v2_path));
    mark("cgroups removed");
    print_timeline();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "start") == 0) return 0;
    if (count < 5 || (strcmp(arguments[1], "run") != 0 && strcmp(arguments[1], "full") != 0)) {
        fprintf(stderr, "usage: floor run|full ROOTFS ID PROGRAM [ARG ...] | floor start\n");
        return 2;
    }
    full = strcmp(arguments[1], "full") == 0;
    return run(arguments[2], arguments[3], arguments + 4);
}
