// What is measured once rather than timed in turns: the smallest memory limit, the cost of a system
// call, latencies beside many other containers, and the floor stage by stage.

#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

long smallest_limit_kib[MAX_SUBJECTS];
double call_ns[MAX_SUBJECTS][2][3];
struct crowd crowds[MAX_SUBJECTS];
int crowd_size;

// ---- the smallest memory limit under which `true` starts

static void write_limited_config(long kib)
{
    static char text[65536];
    static const char mark[] = "987654321";
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/limit/template.json", work);
    FILE *file = fopen(path, "re");
    if (!file) die("%s: %s", path, strerror(errno));
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *at = strstr(text, mark);
    if (!at) die("%s holds no %s", path, mark);
    snprintf(path, sizeof path, "%s/limit/config.json", work);
    file = fopen(path, "we");
    if (!file) die("%s: %s", path, strerror(errno));
    fprintf(file, "%.*s%ld%s", (int)(at - text), text, kib * 1024, at + strlen(mark));
    if (fclose(file) != 0) die("%s: %s", path, strerror(errno));
}

static bool starts_under(const struct subject *subject, long kib)
{
    enum { TIMES = 3 };
    write_limited_config(kib);
    for (int i = 0; i < TIMES; i++) {
        char *arguments[MAX_ARGUMENTS], id[32];
        fresh_id(id);
        remember(subject, id);
        command(subject, "run", "limit", id, arguments);
        int status = run_command(arguments, MAY_FAIL).status;
        bool started = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!started) {
            command(subject, "delete --force", NULL, id, arguments);
            run_command(arguments, MAY_FAIL);
        }
        forget(id);
        if (!started) return false;
    }
    return true;
}

void find_smallest_limits(void)
{
    enum { STEP = 16, LEAST = 128, MOST = 32768 };
    for (int i = 0; i < subject_count; i++) {
        if (subjects[i].kind != RUNTIME) continue;
        long low = LEAST - STEP, high = MOST;
        if (!starts_under(&subjects[i], high)) continue;
        while (high - low > STEP) {
            long middle = (low + high) / 2 / STEP * STEP;
            if (starts_under(&subjects[i], middle))
                high = middle;
            else
                low = middle;
        }
        smallest_limit_kib[i] = high;
    }
}

// ---- one system call

void measure_calls(void)
{
    enum { TIMES = 4 };
    static const char *const bundle[2] = {"probe-bare", "probe-docker"};
    for (int repeat = 0; repeat < TIMES; repeat++) {
        for (int filtered = 0; filtered < 2; filtered++) {
            for (int i = 0; i < subject_count; i++) {
                if (subjects[i].kind != RUNTIME) continue;
                char *arguments[MAX_ARGUMENTS], id[32], text[256];
                fresh_id(id);
                remember(&subjects[i], id);
                command(&subjects[i], "run", bundle[filtered], id, arguments);
                read_output(arguments, text, sizeof text);
                forget(id);
                double ns[3];
                if (sscanf(text, "%lf %lf %lf", &ns[0], &ns[1], &ns[2]) != 3)
                    die("the probe under %s printed \"%s\"", subjects[i].name, text);
                for (int k = 0; k < 3; k++)
                    if (repeat == 0 || ns[k] < call_ns[i][filtered][k])
                        call_ns[i][filtered][k] = ns[k];
            }
        }
    }
}

// ---- beside many other containers

static void add(struct series *series, char *const arguments[])
{
    sleep_ms(idle_ms);
    struct outcome outcome = run_command(arguments, MUST_SUCCEED);
    if (series->count < MAX_ROUNDS) series->ms[series->count++] = outcome.ms;
}

static void time_latencies(const struct subject *subject, struct series series[4], int rounds)
{
    char *arguments[MAX_ARGUMENTS], id[32];
    const struct subject *floor = NULL;
    for (int i = 0; i < subject_count; i++)
        if (subjects[i].kind == FLOOR_FULL) floor = &subjects[i];
    for (int round = 0; round < rounds; round++) {
        command(subject, "state", NULL, subject->live, arguments);
        add(&series[0], arguments);
        command(subject, "exec", NULL, subject->live, arguments);
        add(&series[1], arguments);
        fresh_id(id);
        remember(subject, id);
        command(subject, "create", "default", id, arguments);
        add(&series[2], arguments);
        created_pid(subject, id);
        delete_container(subject, id);
        if (!floor) continue;
        fresh_id(id);
        command(floor, NULL, NULL, id, arguments);
        add(&series[3], arguments);
    }
}

void measure_crowds(int size, int rounds)
{
    crowd_size = size;
    char (*ids)[32] = calloc((size_t)size, sizeof *ids);
    if (!ids) die("out of memory");
    for (int i = 0; i < subject_count; i++) {
        if (subjects[i].kind != RUNTIME) continue;
        fprintf(stderr, "bench: %s, %d containers\n", subjects[i].name, size);
        time_latencies(&subjects[i], crowds[i].before, rounds);
        for (int k = 0; k < size; k++) {
            fresh_id(ids[k]);
            create_container(&subjects[i], "default", ids[k]);
            created_pid(&subjects[i], ids[k]);
        }
        time_latencies(&subjects[i], crowds[i].with, rounds);
        for (int k = 0; k < size; k++) delete_container(&subjects[i], ids[k]);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
    }
    free(ids);
}

// ---- the floor, stage by stage

int read_timeline(char stages[32][64], double us[32], int rounds)
{
    static double samples[32][MAX_ROUNDS];
    static int counts[32];
    int stage_count = 0;
    char path[PATH_SIZE], rootfs[PATH_SIZE], id[32];
    snprintf(path, sizeof path, "%s/floor-timeline", work);
    snprintf(rootfs, sizeof rootfs, "%s/rootfs", work);
    for (int round = 0; round < rounds && round < MAX_ROUNDS; round++) {
        fresh_id(id);
        char *arguments[] = {path, (char *)"full", rootfs, id, (char *)"/bin/true", NULL};
        sleep_ms(idle_ms);
        run_command(arguments, MUST_SUCCEED);
        char text[4096];
        snprintf(text, sizeof text, "%s", last_stderr());
        int stage = 0;
        for (char *line = strtok(text, "\n"); line && stage < 32; line = strtok(NULL, "\n")) {
            if (sscanf(line, "%63[^\t]\t%lf", stages[stage], &samples[stage][counts[stage]]) != 2)
                continue;
            counts[stage++]++;
        }
        if (stage > stage_count) stage_count = stage;
    }
    for (int stage = 0; stage < stage_count; stage++)
        us[stage] = median(samples[stage], counts[stage]);
    return stage_count;
}
