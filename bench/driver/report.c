// The report, in Markdown: the machine, the tables, the budgets.

#define _GNU_SOURCE
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const mode_names[MODES] = {"back to back", "spaced"};

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double median(const double *values, int count)
{
    static double sorted[MAX_ROUNDS];
    if (count == 0) return 0;
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double least(const double *values, int count)
{
    double value = count ? values[0] : 0;
    for (int i = 1; i < count; i++) value = fmin(value, values[i]);
    return value;
}

// Median absolute deviation: how far the middle half lies from the median.
static double deviation(const double *values, int count)
{
    static double distances[MAX_ROUNDS];
    double middle = median(values, count);
    for (int i = 0; i < count; i++) distances[i] = fabs(values[i] - middle);
    return median(distances, count);
}

static double timed(enum mode mode, enum case_id id, int index)
{
    if (index < 0) return 0;
    const struct series *series = &results[mode][id][index];
    return median(series->ms, series->count);
}

static int find_ours(void)
{
    for (int i = 0; i < subject_count; i++)
        if (strcmp(subjects[i].name, "swrunc") == 0) return i;
    return -1;
}

static int find_kind(enum kind kind)
{
    for (int i = 0; i < subject_count; i++)
        if (subjects[i].kind == kind) return i;
    return -1;
}

static bool is_crun(int index)
{
    return subjects[index].kind == RUNTIME && strncmp(subjects[index].name, "crun", 4) == 0;
}

// The fastest crun of the run, so that a newer one cannot be hidden by an older one.
static double crun_time(enum mode mode, enum case_id id)
{
    double best = 0;
    for (int i = 0; i < subject_count; i++) {
        double ms = is_crun(i) ? timed(mode, id, i) : 0;
        if (ms > 0 && (best == 0 || ms < best)) best = ms;
    }
    return best;
}

// ---- facts

static void first_line(const char *path, const char *key, char *text, size_t size)
{
    char line[512];
    snprintf(text, size, "unknown");
    FILE *file = fopen(path, "re");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        const char *value = *key ? strchr(line, ':') : line;
        value = *key && value ? value + 2 : line;
        snprintf(text, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(file);
}

static void print_facts(const char *command_line, int rounds)
{
    struct utsname system;
    char processor[256], load[256], cgroups[65536] = "";
    uname(&system);
    first_line("/proc/cpuinfo", "model name", processor, sizeof processor);
    first_line("/proc/loadavg", "", load, sizeof load);
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file) {
        cgroups[fread(cgroups, 1, sizeof cgroups - 1, file)] = 0;
        fclose(file);
    }
    int v1 = 0;
    for (const char *at = cgroups; (at = strstr(at, " - cgroup ")); at++) v1++;
    printf("`%s`\n\n", command_line);
    printf("- Linux %s, %s, %ld CPUs (%s)\n", system.release, system.machine,
           sysconf(_SC_NPROCESSORS_ONLN), processor);
    if (v1 > 0)
        printf("- cgroup v1, %d hierarchies\n", v1);
    else
        printf("- cgroup v2\n");
    for (int i = 0; i < subject_count; i++)
        if (subjects[i].kind == RUNTIME) printf("- %s: %s\n", subjects[i].name, subjects[i].version);
    printf("- %d rounds, the runtimes taking turns; spaced: %d ms of idle before each command;"
           " state directories on a tmpfs\n", rounds, idle_ms);
    printf("- load averages at the end: %s\n\n", load);
}

// ---- times

static void print_times(enum mode mode)
{
    double floor_ms[CASES] = {
        [RUN] = timed(mode, RUN, find_kind(FLOOR_RUN)),
        [PROCESS] = timed(mode, PROCESS, find_kind(FLOOR_START)),
    };
    printf("| %s, ms | | median | MAD | min | CPU | × crun | × floor |\n", mode_names[mode]);
    printf("|---|---|---|---|---|---|---|---|\n");
    for (int id = 0; id < CASES; id++) {
        double crun = crun_time(mode, (enum case_id)id);
        for (int i = 0; i < subject_count; i++) {
            const struct series *series = &results[mode][id][i];
            if (series->count == 0) continue;
            double ms = median(series->ms, series->count);
            printf("| %s | %s | %.2f | %.2f | %.2f | %.2f |", case_names[id], subjects[i].name, ms,
                   deviation(series->ms, series->count), least(series->ms, series->count),
                   median(series->cpu_ms, series->count));
            if (crun > 0 && subjects[i].kind == RUNTIME)
                printf(" %.2f |", ms / crun);
            else
                printf(" |");
            if (floor_ms[id] > 0)
                printf(" %.2f |\n", ms / floor_ms[id]);
            else
                printf(" |\n");
        }
    }
    printf("\n");
}

// ---- memory, system calls, size

static long file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

static void print_sizes(void)
{
    printf("| | peak of the process, KiB: `run` | `create` | `start` | `state` | `exec` | `delete` |"
           " largest process of a `run`, KiB | smallest memory limit for `true`, KiB |"
           " executable, bytes |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < subject_count; i++) {
        if (subjects[i].kind == FLOOR_START) continue;
        bool runtime = subjects[i].kind == RUNTIME;
        printf("| %s |", subjects[i].name);
        static const enum case_id shown[] = {RUN, CREATE, START, STATE, EXEC, DELETE};
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
            if (peaks[shown[k]][i].own)
                printf(" %ld |", peaks[shown[k]][i].own);
            else
                printf(" |");
        }
        printf(" %ld |", peaks[RUN][i].largest);
        if (runtime && smallest_limit_kib[i])
            printf(" %ld |", smallest_limit_kib[i]);
        else
            printf(runtime ? " none found |" : " |");
        printf(" %ld |\n", file_size(subjects[i].path));
    }
    printf("\n");
}

static void print_calls(void)
{
    printf("| one system call, ns | no filter: allowed | argument checked | refused |"
           " Docker's profile: allowed | argument checked | refused |\n");
    printf("|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < subject_count; i++) {
        if (subjects[i].kind != RUNTIME) continue;
        printf("| %s |", subjects[i].name);
        for (int filtered = 0; filtered < 2; filtered++)
            for (int k = 0; k < 3; k++) printf(" %.0f |", call_ns[i][filtered][k]);
        printf("\n");
    }
    printf("\n");
}

static void print_crowds(void)
{
    static const char *const names[4] = {"`state`", "`exec`", "`create`", "`run`"};
    if (crowd_size == 0) return;
    printf("| spaced, ms | | alone | with %d live containers | ratio |\n|---|---|---|---|---|\n",
           crowd_size);
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < subject_count; i++) {
            if (subjects[i].kind != RUNTIME || crowds[i].before[k].count == 0) continue;
            double before = median(crowds[i].before[k].ms, crowds[i].before[k].count);
            double with = median(crowds[i].with[k].ms, crowds[i].with[k].count);
            printf("| %s | %s%s | %.2f | %.2f | %.2f |\n", names[k], k == 3 ? "the floor, beside " : "",
                   subjects[i].name, before, with, with / before);
        }
    }
    printf("\n");
}

static void print_timeline_table(int rounds)
{
    char stages[32][64];
    double us[32], sum = 0;
    int count = read_timeline(stages, us, rounds);
    printf("| stage of the floor, whole config, spaced | µs |\n|---|---|\n");
    for (int i = 0; i < count; i++) {
        printf("| %s | %.0f |\n", stages[i], us[i]);
        sum += us[i];
    }
    printf("| sum, without the start and the end of the process itself | %.0f |\n\n", sum);
}

// ---- budgets

static int unmet, judged;

static void verdict(const char *what, const char *measured, const char *budget, int met)
{
    static const char *const words[] = {"**not met**", "met", "not measured"};
    if (met != 2) judged++;
    if (met == 0) unmet++;
    printf("| %s | %s | %s | %s |\n", what, met == 2 ? "" : measured, budget, words[met]);
}

static void judge_ratio(enum mode mode, enum case_id id, double reference, const char *name, double most)
{
    char what[128], measured[128], budget[64];
    double ours = timed(mode, id, find_ours());
    snprintf(what, sizeof what, "%s, %s", case_names[id], mode_names[mode]);
    snprintf(budget, sizeof budget, "≤ %.2g × %s", most, name);
    if (ours > 0 && reference > 0) {
        snprintf(measured, sizeof measured, "%.2f ms, %.2f × %s (%.2f ms)", ours, ours / reference, name,
                 reference);
        verdict(what, measured, budget, ours <= most * reference);
    } else {
        verdict(what, "", budget, 2);
    }
}

static void judge_peak(int ours)
{
    char measured[128];
    long crun = 0, own = ours < 0 ? 0 : peaks[RUN][ours].own;
    for (int i = 0; i < subject_count; i++)
        if (is_crun(i) && (crun == 0 || peaks[RUN][i].own < crun)) crun = peaks[RUN][i].own;
    snprintf(measured, sizeof measured, "%ld KiB, crun %ld KiB", own, crun);
    verdict("peak memory of `run`", measured, "≤ crun's", own && crun ? own <= crun : 2);
}

static void judge_limit(int ours)
{
    char measured[64];
    long limit = ours < 0 ? 0 : smallest_limit_kib[ours];
    snprintf(measured, sizeof measured, "%ld KiB", limit);
    verdict("smallest memory limit for `true`", measured, "≤ 512 KiB", limit ? limit <= 512 : 2);
}

static void judge_calls(int ours)
{
    static const char *const kinds[3] = {"allowed", "argument checked", "refused"};
    for (int k = 1; k < 3; k++) {
        char what[96], measured[128];
        double best = 0, own = ours < 0 ? 0 : call_ns[ours][1][k];
        for (int i = 0; i < subject_count; i++)
            if (subjects[i].kind == RUNTIME && i != ours && (best == 0 || call_ns[i][1][k] < best))
                best = call_ns[i][1][k];
        snprintf(what, sizeof what, "one system call under Docker's profile, %s", kinds[k]);
        snprintf(measured, sizeof measured, "%.0f ns, best peer %.0f ns", own, best);
        verdict(what, measured, "below the peers", own > 0 && best > 0 ? own < best : 2);
    }
}

// Flat: no more than a fifth, or a fifth of a millisecond, slower.
static void judge_crowd(int ours)
{
    static const char *const names[3] = {"`state`", "`exec`", "`create`"};
    for (int k = 0; k < 3; k++) {
        char what[96], measured[96];
        double before = 0, with = 0;
        if (ours >= 0 && crowd_size > 0) {
            before = median(crowds[ours].before[k].ms, crowds[ours].before[k].count);
            with = median(crowds[ours].with[k].ms, crowds[ours].with[k].count);
        }
        snprintf(what, sizeof what, "%s with %d live containers", names[k], crowd_size ? crowd_size : 500);
        snprintf(measured, sizeof measured, "%.2f ms, alone %.2f ms", with, before);
        verdict(what, measured, "flat (≤ 1.2 ×, or 0.2 ms)",
                before > 0 ? with <= before * 1.2 || with <= before + 0.2 : 2);
    }
}

static void print_budgets(void)
{
    int ours = find_ours();
    printf("| budget | measured | at most | |\n|---|---|---|---|\n");
    int floor_index = find_kind(FLOOR_RUN);
    judge_ratio(BACK_TO_BACK, RUN, crun_time(BACK_TO_BACK, RUN), "crun", 0.5);
    judge_ratio(BACK_TO_BACK, RUN, timed(BACK_TO_BACK, RUN, floor_index), "floor", 1.6);
    judge_ratio(SPACED, RUN, crun_time(SPACED, RUN), "crun", 0.25);
    judge_ratio(SPACED, RUN, timed(SPACED, RUN, floor_index), "floor", 1.6);
    judge_ratio(SPACED, RUN_DOCKER, crun_time(SPACED, RUN_DOCKER), "crun", 0.3);
    judge_ratio(SPACED, CREATE, crun_time(SPACED, CREATE), "crun", 0.3);
    judge_ratio(SPACED, EXEC, crun_time(SPACED, EXEC), "crun", 0.25);
    static const enum case_id small[] = {START, STATE, DELETE};
    for (size_t i = 0; i < 3; i++)
        for (int mode = 0; mode < MODES; mode++)
            judge_ratio((enum mode)mode, small[i], crun_time((enum mode)mode, small[i]), "crun", 0.5);
    judge_peak(ours);
    judge_limit(ours);
    judge_calls(ours);
    judge_crowd(ours);
    long size = ours < 0 ? 0 : file_size(subjects[ours].path);
    char measured[64];
    snprintf(measured, sizeof measured, "%ld bytes", size);
    verdict("executable", measured, "≤ 10,000,000 bytes", size ? size <= 10000000 : 2);
    printf("\n%d of %d measured budgets met.\n", judged - unmet, judged);
}

void print_report(const char *command_line, int rounds, bool timeline)
{
    print_facts(command_line, rounds);
    if (find_ours() >= 0) {
        printf("### Budgets\n\n");
        print_budgets();
        printf("\n");
    }
    printf("### Times\n\n");
    for (int mode = 0; mode < MODES; mode++) print_times((enum mode)mode);
    printf("`floor` makes only the calls that starting the container needs, `floor, whole config` all"
           " that the config asks for, `floor process` none. MAD: median absolute deviation. CPU: user"
           " and system time, as the kernel charges it, of the process and all that it waited for."
           " × crun: against the fastest crun here.\n\n");
    printf("### Memory and size\n\n");
    print_sizes();
    print_calls();
    print_crowds();
    if (timeline) {
        printf("### The floor, stage by stage\n\n");
        print_timeline_table(rounds);
    }
}
