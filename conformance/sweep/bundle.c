// The kinds of containers: what one config can hold of what a runtime has to do, each different in
// how the runtime makes it.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const kind_names[KINDS] = {
    [PLAIN] = "plain",
    [HOOKS] = "hooks",
    [USER] = "user",
    [JOINED] = "joined",
    [JOINED_USER] = "joined-user",
    [SYSTEMD] = "systemd",
};

// Containers whose namespaces are joined.
static struct donor {
    enum kind like;
    char id[64];
    pid_t pid;
} donors[2] = {{PLAIN, "", 0}, {USER, "", 0}};

bool kind_is_here(enum kind kind) { return kind != SYSTEMD || exists("/run/systemd/private"); }

void cgroup_of(enum kind kind, const char *id, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, kind == SYSTEMD ? "/system.slice/sweep-%s.scope" : "/%s", id);
}

// ---- the config

static const char process[] =
    "\"terminal\": false, \"args\": %s, \"cwd\": \"/home\","
    "\"env\": [\"PATH=/bin\", \"GREETING=good day\"],"
    "\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 200, \"hard\": 300},"
    "  {\"type\": \"RLIMIT_CORE\", \"soft\": 0, \"hard\": 0}],"
    "\"noNewPrivileges\": %s, \"oomScoreAdj\": 321,"
    "\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 6}";

static const char mounts[] =
    "{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},"
    "{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
    "  \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},"
    "{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
    "  \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]},"
    "{\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=1m\"]},"
    "{\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},"
    "{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},"
    "{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},"
    "{\"destination\": \"/in\", \"type\": \"bind\", \"source\": \"%1$s/in\","
    "  \"options\": [\"rbind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]},"
    "{\"destination\": \"/out\", \"type\": \"bind\", \"source\": \"%1$s/out\","
    "  \"options\": [\"bind\", \"rprivate\"]},"
    "{\"destination\": \"/etc/name\", \"type\": \"bind\", \"source\": \"%1$s/in/file\","
    "  \"options\": [\"bind\", \"ro\"]}";

static const char resources[] =
    "\"devices\": [{\"allow\": false, \"access\": \"rwm\"},"
    "  {\"allow\": true, \"type\": \"c\", \"major\": 10, \"minor\": 229, \"access\": \"rw\"}],"
    "\"pids\": {\"limit\": 64}, \"memory\": {\"limit\": 67108864, \"reservation\": 33554432},"
    "\"cpu\": {\"shares\": 512, \"quota\": 90000, \"period\": 100000, \"cpus\": \"0\"}";

static const char seccomp[] =
    "\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [],"
    "  \"syscalls\": [{\"names\": [\"kexec_load\", \"bpf\", \"userfaultfd\"],"
    "    \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1},"
    "  {\"names\": [\"personality\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13,"
    "    \"args\": [{\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"}]}]},";

static const char paths[] =
    "\"maskedPaths\": [\"/proc/keys\", \"/proc/timer_list\", \"/proc/acpi\", \"/proc/interrupts\","
    "  \"/sys/firmware\", \"/sys/kernel\"],"
    "\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\"]";

static const char mappings[] =
    "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}],"
    "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}],";

static void write_capabilities(FILE *file, enum kind kind)
{
    // With CAP_SYS_PTRACE `exec` takes another way into the container.
    const char *names = kind == HOOKS
                            ? "\"CAP_KILL\", \"CAP_CHOWN\", \"CAP_SYS_PTRACE\", \"CAP_AUDIT_WRITE\""
                            : "\"CAP_KILL\", \"CAP_CHOWN\", \"CAP_AUDIT_WRITE\"";
    fprintf(file,
            ", \"capabilities\": {\"bounding\": [%s], \"effective\": [%s], \"permitted\": [%s],"
            " \"inheritable\": [\"CAP_KILL\"], \"ambient\": [\"CAP_KILL\"]}",
            names, names, names);
}

static void write_hook(FILE *file, const char *name, const char *program, const char *output,
                       const char *last)
{
    fprintf(file,
            "\"%s\": [{\"path\": \"%s\", \"args\": [\"probe\", \"append\", \"%s\", \"%s\"]}]%s",
            name, program, output, name, last);
}

static void write_hooks(FILE *file)
{
    char output[PATH_SIZE + 16];
    snprintf(output, sizeof output, "%s/out/hooks", work);
    fputs("\"hooks\": {", file);
    write_hook(file, "prestart", probe_path, output, ",");
    write_hook(file, "createRuntime", probe_path, output, ",");
    write_hook(file, "createContainer", probe_path, output, ",");
    write_hook(file, "startContainer", "/bin/probe", "/out/hooks", ",");
    write_hook(file, "poststart", probe_path, output, ",");
    write_hook(file, "poststop", probe_path, output, "},");
}

static void write_namespaces(FILE *file, enum kind kind)
{
    static const struct {
        const char *type, *file;
    } shared[] = {
        {"pid", "pid"}, {"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}, {"user", "user"},
    };
    fputs("\"namespaces\": [{\"type\": \"mount\"}", file);
    for (int i = 0; i < 5; i++) {
        bool is_user = i == 4;
        bool joins = (kind == JOINED && !is_user) || (kind == JOINED_USER && i != 0);
        if (is_user && kind != USER && kind != JOINED_USER) continue;
        fprintf(file, ", {\"type\": \"%s\"", shared[i].type);
        if (joins)
            fprintf(file, ", \"path\": \"/proc/%d/ns/%s\"", donors[kind == JOINED_USER].pid,
                    shared[i].file);
        fputc('}', file);
    }
    fputs("],", file);
}

void write_config(enum kind kind, const char *id, const char *program)
{
    char path[PATH_SIZE + 32], cgroup[PATH_SIZE];
    bool joins = kind == JOINED || kind == JOINED_USER;
    snprintf(path, sizeof path, "%s/bundle/config.json", work);
    snprintf(cgroup, sizeof cgroup, kind == SYSTEMD ? "system.slice:sweep:%s" : "/%s", id);
    FILE *file = fopen(path, "we");
    if (!file) die("%s: %s", path, strerror(errno));
    fputs("{\"ociVersion\": \"1.2.0\", \"process\": {", file);
    fprintf(file, process, program, kind == HOOKS ? "false" : "true");
    write_capabilities(file, kind);
    if (kind == HOOKS)
        fputs(", \"user\": {\"uid\": 1000, \"gid\": 1000, \"umask\": 63,"
              " \"additionalGids\": [5, 6]}",
              file);
    else
        fputs(", \"user\": {\"uid\": 0, \"gid\": 0, \"umask\": 23}", file);
    fputs("}, \"root\": {\"path\": \"rootfs\", \"readonly\": true},", file);
    if (!joins) fputs("\"hostname\": \"swept\", \"domainname\": \"sweep\",", file);
    fputs("\"mounts\": [", file);
    fprintf(file, mounts, work);
    fputs("],", file);
    if (kind == HOOKS) write_hooks(file);
    fprintf(file, "\"linux\": {\"cgroupsPath\": \"%s\", \"resources\": {%s},", cgroup, resources);
    if (!joins) fputs("\"sysctl\": {\"kernel.msgmax\": \"4242\"},", file);
    if (kind == USER) fputs(mappings, file);
    if (kind != USER && kind != JOINED_USER)
        fputs("\"devices\": [{\"path\": \"/dev/fuse\", \"type\": \"c\", \"major\": 10,"
              "  \"minor\": 229, \"fileMode\": 384, \"uid\": 0, \"gid\": 0}],",
              file);
    write_namespaces(file, kind);
    fputs(seccomp, file);
    fprintf(file, "%s}}", paths);
    if (fclose(file) != 0) die("%s: %s", path, strerror(errno));
}

// ---- what they share

static void make_rootfs(void)
{
    static const char *const directories[] = {
        "", "/bin", "/dev", "/etc", "/home", "/in", "/out", "/more", "/proc", "/sys", "/tmp",
    };
    char path[PATH_SIZE + 64], program[PATH_SIZE + 64];
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        snprintf(path, sizeof path, "%s/bundle/rootfs%s", work, directories[i]);
        if (mkdir(path, 0755) < 0) die("%s: %s", path, strerror(errno));
    }
    snprintf(path, sizeof path, "%s/bundle/rootfs/etc/name", work);
    write_text(path, "");
    snprintf(program, sizeof program, "%s/bundle/rootfs/bin/probe", work);
    if (link(probe_path, program) < 0) die("%s: %s", program, strerror(errno));
}

static void start_donor(struct donor *donor)
{
    char root[PATH_SIZE + 16], bundle[PATH_SIZE + 16], path[PATH_SIZE + 16], text[32];
    snprintf(donor->id, sizeof donor->id, "sweep%d-donor-%s", getpid(), kind_names[donor->like]);
    snprintf(root, sizeof root, "%s/donors", work);
    snprintf(bundle, sizeof bundle, "%s/bundle", work);
    snprintf(path, sizeof path, "%s/pid", work);
    write_config(donor->like, donor->id, "[\"/bin/probe\", \"ignoring\", \"1\"]");
    char *arguments[] = {runtime_path, "--root",     root, "run",     "--detach", "--bundle",
                         bundle,       "--pid-file", path, donor->id, NULL};
    if (run_plain(arguments, "/dev/null") != 0) {
        char words[4096];
        read_text(standard_error, words, sizeof words);
        die("a container whose namespaces others would join: %s", words);
    }
    read_text(path, text, sizeof text);
    donor->pid = atoi(text);
    unlink(path);
}

void prepare_bundles(void)
{
    char path[PATH_SIZE + 32];
    static const char *const directories[] = {"/bundle", "/in", "/out"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", work, directories[i]);
        mkdir(path, 0755);
    }
    chmod(path, 0777);
    snprintf(path, sizeof path, "%s/in/file", work);
    write_text(path, "in\n");
    snprintf(path, sizeof path, "%s/mounts.json", work);
    FILE *file = fopen(path, "we");
    if (!file) die("%s: %s", path, strerror(errno));
    fprintf(file,
            "[{\"destination\": \"/more\", \"type\": \"bind\", \"source\": \"%s/in\","
            " \"options\": [\"bind\", \"ro\", \"nosuid\"]}]",
            work);
    fclose(file);
    make_rootfs();
    for (int i = 0; i < 2; i++) start_donor(&donors[i]);
    reap();
    keep_children();
}

void end_donors(void)
{
    char cgroup[PATH_SIZE];
    for (int i = 0; i < 2; i++) {
        if (donors[i].pid <= 0) continue;
        kill(donors[i].pid, SIGKILL);
        waitpid(donors[i].pid, NULL, 0);
        donors[i].pid = 0;
    }
    for (int i = 0; i < 2; i++) {
        cgroup_of(donors[i].like, donors[i].id, cgroup);
        if (donors[i].id[0]) remove_leftovers(cgroup);
    }
}
