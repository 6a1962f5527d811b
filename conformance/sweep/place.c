// Where the containers of a sweep are: namespaces of its own, so that what a faulty container
// leaves shows, and nothing of the host is changed by it.

#define _GNU_SOURCE
#include "sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char work[PATH_SIZE] = "/tmp/sweep";
char runtime_path[PATH_SIZE], probe_path[PATH_SIZE];
struct hierarchy hierarchies[24];
int hierarchy_count;

static char mounts_before[65536], kept[4096], kept_id[64], host_name[256];
static bool run_is_own;

void die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fflush(stdout);
    fprintf(stderr, "sweep: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    static bool dying;
    if (!dying) {
        dying = true;
        leave_place();
    }
    exit(2);
}

double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

bool eventually(bool (*condition)(void *), void *context, int ms)
{
    double deadline = now_ms() + ms * patience;
    for (int tries = 0; !condition(context); tries++) {
        if (now_ms() > deadline) return false;
        usleep(tries < 20 ? 200 : 2000);
    }
    return true;
}

bool exists(const char *path) { return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t used = 0;
    text[0] = 0;
    if (fd < 0) return false;
    for (ssize_t count; used < size - 1; used += (size_t)count)
        if ((count = read(fd, text + used, size - 1 - used)) <= 0) break;
    text[used] = 0;
    close(fd);
    return true;
}

void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (!file) die("%s: %s", path, strerror(errno));
    fputs(text, file);
    if (fclose(file) != 0) die("%s: %s", path, strerror(errno));
}

// ---- the place

static void copy_file(int from, const char *to)
{
    static char buffer[1 << 20];
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ssize_t count;
    if (fd < 0) die("%s: %s", to, strerror(errno));
    while ((count = read(from, buffer, sizeof buffer)) > 0)
        if (write(fd, buffer, (size_t)count) != count) die("%s: %s", to, strerror(errno));
    close(fd);
    close(from);
}

static void own_cgroup(const char *names, char *path)
{
    char text[8192], key[300];
    read_text("/proc/self/cgroup", text, sizeof text);
    snprintf(path, PATH_SIZE, "/");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second) continue;
        snprintf(key, sizeof key, "%.*s", (int)(second - first - 1), first + 1);
        if (strcmp(key, names) == 0) snprintf(path, PATH_SIZE, "%s", second + 1);
    }
}

static void find_hierarchies(void)
{
    char text[65536], *rest = text;
    read_text("/proc/self/mounts", text, sizeof text);
    for (char *line; (line = strsep(&rest, "\n"));) {
        char point[PATH_SIZE], type[32], names[PATH_SIZE] = "";
        if (sscanf(line, "%*s %255s %31s", point, type) != 2) continue;
        if (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0) continue;
        if (hierarchy_count == 24) die("more than 24 hierarchies of cgroups");
        struct hierarchy *hierarchy = &hierarchies[hierarchy_count++];
        snprintf(hierarchy->mount, PATH_SIZE, "%s", point);
        if (strcmp(type, "cgroup") == 0) {
            const char *last = strrchr(point, '/') + 1;
            snprintf(names, sizeof names, "%s%s", strcmp(last, "systemd") ? "" : "name=", last);
        }
        own_cgroup(names, hierarchy->own);
    }
}

// CRIU asks it what the kernel can do.
static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) die("lo: %s", strerror(errno));
    close(fd);
}

void enter_place(const char *runtime, const char *probe, bool keep_run)
{
    char path[PATH_SIZE + 64];
    int runtime_fd = open(runtime, O_RDONLY | O_CLOEXEC),
        probe_fd = open(probe, O_RDONLY | O_CLOEXEC);
    if (runtime_fd < 0) die("%s: %s", runtime, strerror(errno));
    if (probe_fd < 0) die("%s: %s", probe, strerror(errno));
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        die("unshare: %s (the sweeps are for root)", strerror(errno));
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) die("/: %s", strerror(errno));
    if (mount("tmpfs", "/tmp", "tmpfs", 0, "mode=755") < 0) die("/tmp: %s", strerror(errno));
    run_is_own = !keep_run;
    if (run_is_own && mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0)
        die("/run: %s", strerror(errno));
    mkdir(work, 0755);
    snprintf(path, sizeof path, "%s/root", work);
    mkdir(path, 0755);
    snprintf(runtime_path, PATH_SIZE, "%s/swrunc", work);
    copy_file(runtime_fd, runtime_path);
    snprintf(probe_path, PATH_SIZE, "%s/probe", work);
    copy_file(probe_fd, probe_path);
    find_hierarchies();
    raise_loopback();
    // Where close_range(2) is denied, each number is tried.
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 1024});
    // What containers leave behind becomes our child.
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void leave_place(void)
{
    end_donors();
    remove_leftovers("");
}

// ---- what is left

static void list_children(char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    if (!read_text(path, text, size)) die("%s: %s", path, strerror(errno));
}

void keep_children(void) { list_children(kept, sizeof kept); }

void keep_state(const char *id) { snprintf(kept_id, sizeof kept_id, "%s", id); }

static bool is_kept(const char *pid)
{
    char word[32], all[sizeof kept + 2];
    snprintf(word, sizeof word, " %s ", pid);
    snprintf(all, sizeof all, " %s ", kept);
    return strstr(all, word);
}

// The pids of children but those kept; "" for none.
static void strangers(char *text, size_t size)
{
    char all[4096];
    reap();
    list_children(all, sizeof all);
    text[0] = 0;
    for (char *word = strtok(all, " \n"); word; word = strtok(NULL, " \n"))
        if (!is_kept(word)) snprintf(text + strlen(text), size - strlen(text), " %s", word);
}

static bool nobody_left(void *context)
{
    (void)context;
    char text[4096];
    strangers(text, sizeof text);
    return text[0] == 0;
}

static void directory(char *text, size_t size, const char *path, const char *but)
{
    DIR *stream = opendir(path);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (!strcmp(entry->d_name, but) || !strcmp(entry->d_name, kept_id)) continue;
        snprintf(text + strlen(text), size - strlen(text), "; %s/%s", path, entry->d_name);
    }
    closedir(stream);
}

static void mounts_now(char *text, size_t size)
{
    if (!read_text("/proc/self/mounts", text, size)) die("/proc/self/mounts: %s", strerror(errno));
}

void note_place(void)
{
    mounts_now(mounts_before, sizeof mounts_before);
    gethostname(host_name, sizeof host_name);
}

// Files of the cache that are not whole.
static void unfinished(char *text, size_t size)
{
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/root/@seccomp", work);
    DIR *stream = opendir(path);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_name[0] != '.' && strspn(entry->d_name, "0123456789abcdef") < 32)
            snprintf(text + strlen(text), size - strlen(text), "; %s/%s", path, entry->d_name);
    closedir(stream);
}

const char *leftovers(const char *cgroup)
{
    static char text[8192], now[65536];
    char path[PATH_SIZE * 3], name[256];
    text[0] = 0;
    if (!eventually(nobody_left, NULL, 3000)) {
        snprintf(text, sizeof text, "; processes");
        strangers(text + strlen(text), sizeof text - strlen(text));
    }
    for (int i = 0; i < hierarchy_count && cgroup[0]; i++) {
        const struct hierarchy *hierarchy = &hierarchies[i];
        snprintf(path, sizeof path, "%s%s", hierarchy->mount, cgroup);
        if (exists(path)) snprintf(text + strlen(text), sizeof text - strlen(text), "; %s", path);
        if (!strcmp(hierarchy->own, "/")) continue;
        snprintf(path, sizeof path, "%s%s%s", hierarchy->mount, hierarchy->own, cgroup);
        if (exists(path)) snprintf(text + strlen(text), sizeof text - strlen(text), "; %s", path);
    }
    mounts_now(now, sizeof now);
    if (strcmp(now, mounts_before) != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; mounts");
    gethostname(name, sizeof name);
    if (strcmp(name, host_name) != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; the host's name is %s", name);
    read_text("/proc/net/unix", now, sizeof now);
    if (strstr(now, work)) snprintf(text + strlen(text), sizeof text - strlen(text), "; sockets");
    char root[PATH_SIZE + 8];
    snprintf(root, sizeof root, "%s/root", work);
    directory(text, sizeof text, root, "@seccomp");
    unfinished(text, sizeof text);
    directory(text, sizeof text, "/tmp", "sweep");
    if (run_is_own) directory(text, sizeof text, "/run", "");
    return text[0] ? text + 2 : text;
}

// ---- and its removal, whatever became of the runtime

static void remove_tree(const char *path, bool files)
{
    DIR *stream = opendir(path);
    if (stream) {
        for (struct dirent *entry; (entry = readdir(stream));) {
            char child[PATH_SIZE * 4];
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            if (!strcmp(entry->d_name, kept_id)) continue;
            snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
            if (entry->d_type == DT_DIR)
                remove_tree(child, files);
            else if (files)
                unlink(child);
        }
        closedir(stream);
    }
    rmdir(path);
}

static void empty_cgroup(const char *path)
{
    char file[PATH_SIZE * 4], text[4096];
    snprintf(file, sizeof file, "%s/freezer.state", path);
    if (exists(file)) write_text(file, "THAWED");
    snprintf(file, sizeof file, "%s/cgroup.freeze", path);
    if (exists(file)) write_text(file, "0");
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    read_text(file, text, sizeof text);
    for (char *word = strtok(text, "\n"); word; word = strtok(NULL, "\n"))
        kill(atoi(word), SIGKILL);
}

// Those on top of what there was.
static void unmount_new(void)
{
    static char now[65536];
    for (int tries = 0; tries < 32; tries++) {
        char point[PATH_SIZE];
        mounts_now(now, sizeof now);
        if (strlen(now) <= strlen(mounts_before)) return;
        now[strlen(now) - 1] = 0;
        char *last = strrchr(now, '\n');
        if (sscanf(last ? last + 1 : now, "%*s %255s", point) == 1) umount2(point, MNT_DETACH);
    }
}

void remove_leftovers(const char *cgroup)
{
    char path[PATH_SIZE * 3], text[4096];
    unmount_new();
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < hierarchy_count && cgroup[0]; i++) {
            snprintf(path, sizeof path, "%s%s", hierarchies[i].mount, cgroup);
            if (!exists(path)) continue;
            if (turn == 0) empty_cgroup(path);
        }
    for (int tries = 0; tries < 200; tries++) {
        strangers(text, sizeof text);
        if (!text[0]) break;
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
            kill(atoi(word), SIGKILL);
        usleep(5000);
    }
    for (int i = 0; i < hierarchy_count && cgroup[0]; i++) {
        snprintf(path, sizeof path, "%s%s", hierarchies[i].mount, cgroup);
        for (int tries = 0; exists(path) && tries < 100; tries++) {
            remove_tree(path, false);
            if (exists(path)) usleep(2000);
        }
        snprintf(path, sizeof path, "%s%s%s", hierarchies[i].mount, hierarchies[i].own, cgroup);
        if (strcmp(hierarchies[i].own, "/") != 0 && exists(path)) remove_tree(path, false);
    }
    snprintf(path, sizeof path, "%s/root", work);
    remove_tree(path, true);
    mkdir(path, 0755);
    if (sethostname(host_name, strlen(host_name)) < 0) return;
}
