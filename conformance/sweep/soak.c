// Containers one after the other, and many at a time: what the kernel counts is afterwards what it
// was.

#define _GNU_SOURCE
#include "sweep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

enum measure { DESCRIPTORS, MOUNTS, CGROUPS, INODES, KEYS, MEASURES };
static const char *const measures[MEASURES] = {
    "descriptors", "mounts", "cgroups", "inodes", "keys",
};
// The whole machine's counts go up and down by what else it does.
static const bool is_everybodys[MEASURES] = {true, false, true, false, true};

static long count_lines(const char *path)
{
    static char text[1 << 20];
    long lines = 0;
    read_text(path, text, sizeof text);
    for (const char *c = text; *c; c++) lines += *c == '\n';
    return lines;
}

// Of all hierarchies together.
static long count_cgroups(void)
{
    char text[4096], *rest = text;
    long sum = 0, count;
    read_text("/proc/cgroups", text, sizeof text);
    for (char *line; (line = strsep(&rest, "\n"));)
        if (sscanf(line, "%*s %*d %ld", &count) == 1) sum += count;
    return sum;
}

static void measure(long values[MEASURES])
{
    char text[256];
    struct statfs file_system;
    read_text("/proc/sys/fs/file-nr", text, sizeof text);
    values[DESCRIPTORS] = strtol(text, NULL, 10);
    values[MOUNTS] = count_lines("/proc/self/mountinfo");
    values[CGROUPS] = count_cgroups();
    statfs(work, &file_system);
    values[INODES] = (long)(file_system.f_files - file_system.f_ffree);
    values[KEYS] = count_lines("/proc/keys");
}

// A leak at every turn would be at least as many as there were turns.
static bool is_flat(const long before[MEASURES], const long after[MEASURES], int turns)
{
    bool flat = true;
    for (int i = 0; i < MEASURES; i++) {
        long growth = after[i] - before[i], most = is_everybodys[i] ? turns / 2 + 50 : 2;
        flat &= growth <= most;
    }
    return flat;
}

static void judge(const char *what, const long before[MEASURES], int turns)
{
    long after[MEASURES];
    // Keys and namespaces are freed a while after their last use.
    for (int tries = 0; tries < 50; tries++) {
        measure(after);
        if (is_flat(before, after, turns)) break;
        usleep(200000);
    }
    printf("soak: %d %s:", turns, what);
    for (int i = 0; i < MEASURES; i++)
        printf(" %s %ld, then %ld;", measures[i], before[i], after[i]);
    printf("\n");
    if (!is_flat(before, after, turns))
        finding("soak", "counts have grown after %d %s", turns, what);
}

static void one_cycle(int number)
{
    static const struct command run = {.words = {"run", "--bundle", "BUNDLE", "ID"}};
    static const struct command create = {.words = {"create", "--bundle", "BUNDLE", "ID"}};
    struct container container;
    char *arguments[MAX_ARGUMENTS];
    fresh_container((enum kind)(number % 3), &container);
    write_config(container.kind, container.id, "[\"/bin/probe\", \"exit\", \"0\"]");
    build(number % 2 ? &run : &create, &container, arguments);
    int status = run_plain(arguments, "/dev/null");
    if (number % 2 == 0) {
        status |= command_on(&container, NULL, 0, "start", "ID", NULL);
        status |= command_on(&container, NULL, 0, "delete", "--force", "ID");
    }
    if (status) finding("soak", "cycle %d ends with %x", number, status);
    const char *left = leftovers(container.cgroup);
    if (left[0]) finding("soak", "cycle %d leaves %s", number, left);
}

static void many_at_a_time(int live)
{
    long before[MEASURES];
    struct container *containers = calloc((size_t)live, sizeof *containers);
    if (!containers) die("out of memory");
    measure(before);
    int running = 0;
    for (int i = 0; i < live && !interrupted; i++) {
        fresh_container(PLAIN, &containers[i]);
        running += bring_to(&containers[i], RUNNING);
    }
    char *text = malloc(1 << 20);
    int listed = 0, known = 0;
    if (!text || command_on(&containers[0], text, 1 << 20, "list", NULL, NULL) != 0)
        finding("soak", "`list` of %d containers fails", live);
    for (const char *at = text; text && (at = strstr(at, " running")); at++) listed++;
    for (int i = 0; i < live; i++)
        known += command_on(&containers[i], NULL, 0, "state", "ID", NULL) == 0;
    if (running != live || listed != live || known != live)
        finding("soak", "of %d containers %d run, `list` shows %d, `state` knows %d", live, running,
                listed, known);
    for (int i = 0; i < live; i++) {
        if (command_on(&containers[i], NULL, 0, "delete", "--force", "ID") != 0)
            finding("soak", "`delete --force` of one of %d fails", live);
    }
    for (int i = 0; i < live; i++) {
        const char *left = leftovers(containers[i].cgroup);
        if (left[0]) finding("soak", "one of %d leaves %s", live, left);
        if (left[0]) remove_leftovers(containers[i].cgroup);
    }
    judge("containers at a time", before, live);
    free(text);
    free(containers);
}

void soak(int cycles, int live)
{
    long before[MEASURES];
    double began = now_ms();
    for (int i = 0; i < 12; i++) one_cycle(i);
    measure(before);
    for (int i = 0; i < cycles && !interrupted; i++) one_cycle(i);
    judge("cycles", before, cycles);
    if (live > 0) many_at_a_time(live);
    printf("soak: %.0f s\n", (now_ms() - began) / 1e3);
}
