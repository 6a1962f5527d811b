// What a container is like: a fact a line. Two containers made from one config have the same ones,
// but for what is in its nature another every time.

#define _GNU_SOURCE
#include "sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct gathering {
    FILE *file;
    const char *id;
    char pid[16];
};

static void begin(struct gathering *g, struct facts *facts, const char *id, pid_t pid)
{
    facts->text = NULL;
    g->file = open_memstream(&facts->text, &facts->size);
    g->id = id;
    snprintf(g->pid, sizeof g->pid, "%d", pid);
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '-' || c == '.'; }

static size_t time_at(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) return 0;
    return sizeof form - 1 + strspn(text + sizeof form - 1, ".0123456789Z");
}

// The value, with ID, PID and TIME for what is another in each container, on one line.
static void put_value(struct gathering *g, const char *text, bool has_pid)
{
    size_t id = strlen(g->id), pid = has_pid ? strlen(g->pid) : 0, time;
    for (const char *c = text; *c; c++) {
        bool starts = c == text || !is_word(c[-1]);
        if (id && strncmp(c, g->id, id) == 0) {
            fputs("ID", g->file);
            c += id - 1;
        } else if (starts && pid && !strncmp(c, g->pid, pid) && !is_word(c[pid])) {
            fputs("PID", g->file);
            c += pid - 1;
        } else if (starts && (time = time_at(c))) {
            fputs("TIME", g->file);
            c += time - 1;
        } else if (*c == '\n') {
            fputs("|", g->file);
        } else if (*c != ' ' || c == text || c[-1] != ' ') {
            fputc(*c, g->file);
        }
    }
    fputc('\n', g->file);
}

static void put(struct gathering *g, const char *key, const char *name, const char *value)
{
    // Elsewhere a number that is the same is another's.
    bool has_pid = !strncmp(key, "answer ", 7) || !strncmp(key, "record state", 12);
    fprintf(g->file, "%s%s=", key, name);
    put_value(g, value, has_pid);
}

static void put_file(struct gathering *g, const char *key, const char *path)
{
    char text[16384];
    if (!read_text(path, text, sizeof text)) snprintf(text, sizeof text, "%s", error_name(errno));
    size_t size = strlen(text);
    if (size && text[size - 1] == '\n') text[size - 1] = 0;
    put(g, key, "", text);
}

static int by_key(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    int order = compare_keys(a, b);
    return order ? order : strcmp(a, b);
}

static void end(struct gathering *g, struct facts *facts)
{
    static char *lines[20000];
    int count = 0;
    fclose(g->file);
    char *rest = facts->text, *sorted = malloc(facts->size + 1), *at = sorted;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line && count < 20000) lines[count++] = line;
    qsort(lines, (size_t)count, sizeof *lines, by_key);
    for (int i = 0; i < count; i++) at += sprintf(at, "%s\n", lines[i]);
    *at = 0;
    free(facts->text);
    facts->text = sorted;
    facts->size = (size_t)(at - sorted);
}

void free_facts(struct facts *facts)
{
    free(facts->text);
    facts->text = NULL;
}

void join_facts(struct facts *facts, struct facts *more)
{
    struct gathering g;
    struct facts joined;
    begin(&g, &joined, "", 0);
    fputs(facts->text, g.file);
    fputs(more->text, g.file);
    end(&g, &joined);
    free_facts(facts);
    free_facts(more);
    *facts = joined;
}

// ---- from outside

static void put_mounts(struct gathering *g, const char *process)
{
    static char text[65536];
    static struct {
        char point[PATH_SIZE];
        int count;
    } seen[200];
    char path[PATH_SIZE], *rest = text;
    int seen_count = 0;
    snprintf(path, sizeof path, "%s/mountinfo", process);
    read_text(path, text, sizeof text);
    for (char *line; (line = strsep(&rest, "\n"));) {
        char device[32], root[PATH_SIZE], point[PATH_SIZE], key[PATH_SIZE + 32];
        int used = 0, index = 0;
        if (sscanf(line, "%*d %*d %31s %255s %255s %n", device, root, point, &used) != 3) continue;
        while (index < seen_count && strcmp(seen[index].point, point)) index++;
        if (index == seen_count && seen_count < 200) {
            seen_count++;
            snprintf(seen[index].point, PATH_SIZE, "%s", point);
            seen[index].count = 0;
        }
        snprintf(key, sizeof key, "mount %s %d", point, ++seen[index].count);
        // Numbers of peer groups and of anonymous devices are the kernel's choice.
        for (char *c = line + used; (c = strpbrk(c, ":")); c++)
            for (char *digit = c + 1; isdigit((unsigned char)*digit); digit++) *digit = '#';
        char value[PATH_SIZE * 4];
        snprintf(value, sizeof value, "%s %s %s", strncmp(device, "0:", 2) ? device : "0:#", root,
                 line + used);
        put(g, key, "", value);
    }
}

static void put_links(struct gathering *g, const char *process, const char *folder)
{
    char path[PATH_SIZE], file[PATH_SIZE * 2 + 16], text[PATH_SIZE], own[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", process, folder);
    DIR *stream = opendir(path);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        ssize_t size = readlink(file, text, sizeof text - 1);
        text[size > 0 ? size : 0] = 0;
        if (!strcmp(folder, "ns")) {
            snprintf(file, sizeof file, "/proc/self/ns/%s", entry->d_name);
            size = readlink(file, own, sizeof own - 1);
            own[size > 0 ? size : 0] = 0;
            snprintf(text, sizeof text, "%s", strcmp(text, own) ? "another" : "the host's");
        } else {
            char flags[512];
            snprintf(file, sizeof file, "%s/fdinfo/%s", process, entry->d_name);
            read_text(file, flags, sizeof flags);
            char *value = strstr(flags, "flags:");
            if (value) value[strcspn(value, "\n")] = 0;
            snprintf(text + strlen(text), sizeof text - strlen(text), " %s", value ? value : "");
        }
        fprintf(g->file, "%s ", folder);
        put(g, entry->d_name, "", text);
    }
    closedir(stream);
}

static void put_status(struct gathering *g, const char *process)
{
    static const char *const left_out[] = {
        "Vm",   "Rss",   "Huge",   "voluntary", "nonvoluntary", "Pid",
        "Tgid", "PPid",  "Ngid",   "Tracer",    "FDSize",       "SigQ",
        "NS",   "State", "SigPnd", "ShdPnd",    "x86_Thread",
    };
    char path[PATH_SIZE], text[8192], *rest = text;
    snprintf(path, sizeof path, "%s/status", process);
    read_text(path, text, sizeof text);
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *colon = strchr(line, ':');
        bool out = !colon;
        for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
            out |= !strncmp(line, left_out[i], strlen(left_out[i]));
        if (out) continue;
        *colon = 0;
        for (char *c = colon + 1; *c; c++)
            if (*c == '\t') *c = ' ';
        put(g, "status ", line, colon + 1);
    }
}

static void put_filters(struct gathering *g, pid_t pid)
{
    int status;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0) {
        put(g, "filters", "", error_name(errno));
        return;
    }
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
        static struct sock_filter program[4096];
        for (long index = 0; index < 16; index++) {
            long count = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, NULL);
            if (count <= 0 || count > 4096) break;
            ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, program);
            uint64_t hash = 1469598103934665603u;
            for (size_t i = 0; i < (size_t)count * sizeof *program; i++)
                hash = (hash ^ ((unsigned char *)program)[i]) * 1099511628211u;
            fprintf(g->file, "filter %ld=%ld %016lx\n", index, count, (unsigned long)hash);
        }
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
}

static bool is_counter(const char *name)
{
    static const char *const parts[] = {
        "usage", "stat", "procs", "tasks", "pressure", "events", "current", "peak", "failcnt",
        "numa", "cgroup.event_control", "cgroup.threads", "io_service", "io_serviced", "sectors",
        "time", "kill",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i])) return true;
    return false;
}

static void put_cgroup(struct gathering *g, const struct hierarchy *hierarchy, const char *cgroup)
{
    char path[PATH_SIZE * 2 + 16], file[PATH_SIZE * 4], key[PATH_SIZE * 2];
    const char *name = strrchr(hierarchy->mount, '/') + 1;
    snprintf(path, sizeof path, "%s%s", hierarchy->mount, cgroup);
    DIR *stream = opendir(path);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_type != DT_REG || is_counter(entry->d_name)) continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (access(file, R_OK) < 0) continue;
        snprintf(key, sizeof key, "cgroup %s/%s", name, entry->d_name);
        put_file(g, key, file);
    }
    closedir(stream);
}

static void put_record(struct gathering *g, const char *name)
{
    static char text[65536];
    char path[PATH_SIZE * 2], key[PATH_SIZE], *rest = text;
    snprintf(path, sizeof path, "%s/root/%s/%s", work, g->id, name);
    read_text(path, text, sizeof text);
    int number = 0;
    for (char *part; (part = strsep(&rest, ",\n"));) {
        snprintf(key, sizeof key, "record %s %03d", name, number++);
        put(g, key, "", part);
    }
}

static void put_hooks(struct gathering *g)
{
    char path[PATH_SIZE * 2];
    snprintf(path, sizeof path, "%s/out/hooks", work);
    if (exists(path)) put_file(g, "hooks", path);
}

void facts_of_text(const char *id, pid_t pid, const char *prefix, const char *text,
                   struct facts *facts)
{
    struct gathering g;
    char *copy = strdup(text), *rest = copy, key[64];
    int number = 0;
    begin(&g, facts, id, pid);
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *equals = strchr(line, '=');
        if (!strncmp(line, "monotonic=", 10) || !strncmp(line, "boottime=", 9) || !*line) continue;
        // A keyring's number comes first.
        if (!strncmp(line, "keyring=", 8) && strchr(line, ';')) {
            put(&g, prefix, "keyring", strchr(line, ';'));
            continue;
        }
        snprintf(key, sizeof key, "%s%03d", prefix, number++);
        if (strcmp(prefix, "answer ") && equals) {
            *equals = 0;
            fprintf(g.file, "%s%s=", prefix, line);
            put_value(&g, equals + 1, false);
        } else {
            put(&g, key, "", line);
        }
    }
    free(copy);
    end(&g, facts);
}

void facts_of_container(enum kind kind, const char *id, pid_t pid, const char *output,
                        struct facts *facts)
{
    static const char *const files[] = {
        "oom_score_adj", "attr/current", "coredump_filter", "timerslack_ns",  "personality",
        "comm",          "uid_map",      "gid_map",         "setgroups",      "projid_map",
        "loginuid",      "cgroup",       "limits",          "timens_offsets",
    };
    static const char *const links[] = {"cwd", "root", "exe"};
    static char text[65536];
    struct gathering g;
    char process[32], path[PATH_SIZE], cgroup[PATH_SIZE], target[PATH_SIZE];
    begin(&g, facts, id, pid);
    snprintf(process, sizeof process, "/proc/%d", pid);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", process, files[i]);
        put_file(&g, files[i], path);
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "%s/%s", process, links[i]);
        ssize_t size = readlink(path, target, sizeof target - 1);
        target[size > 0 ? size : 0] = 0;
        put(&g, "link ", links[i], target);
    }
    put_status(&g, process);
    put_links(&g, process, "ns");
    put_links(&g, process, "fd");
    put_mounts(&g, process);
    // Not of one that may be frozen: it does not stop.
    if (output) put_filters(&g, pid);
    cgroup_of(kind, id, cgroup);
    for (int i = 0; i < hierarchy_count; i++) put_cgroup(&g, &hierarchies[i], cgroup);
    put_record(&g, "state.json");
    put_record(&g, "config.json");
    put_hooks(&g);
    end(&g, facts);
    if (!output) return;
    struct facts inside;
    read_text(output, text, sizeof text);
    facts_of_text(id, pid, "inside ", text, &inside);
    join_facts(facts, &inside);
}
