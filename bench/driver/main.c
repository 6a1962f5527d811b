// bench: times OCI runtimes side by side, and against a program that makes only the needed calls.
//
// usage: bench --work DIR [--rounds N] [--warm-up N] [--idle MS] [--many N] [--timeline]
//              [--command-line TEXT] NAME=PATH ...
//
// DIR holds what run.sh prepared: rootfs/, the bundles, floor, floor-timeline. The subject named
// `swrunc` is ours; those whose name begins with `crun` are what its budgets are measured by.
// Markdown goes to standard output, progress and failures to standard error.

#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct subject *add_subject(const char *name, const char *path, enum kind kind)
{
    if (subject_count == MAX_SUBJECTS) die("too many runtimes");
    struct subject *subject = &subjects[subject_count++];
    subject->name = name;
    subject->path = path;
    subject->kind = kind;
    return subject;
}

static void add_runtime(char *word)
{
    char *equals = strchr(word, '=');
    if (!equals || equals == word) die("%s: expected NAME=PATH", word);
    *equals = 0;
    struct subject *subject = add_subject(word, equals + 1, RUNTIME);
    if (access(subject->path, X_OK) < 0) die("%s: %s", subject->path, strerror(errno));
    snprintf(subject->root, sizeof subject->root, "%s/state-%s", work, word);
    if (mkdir(subject->root, 0700) < 0) die("%s: %s", subject->root, strerror(errno));
    char *const arguments[] = {(char *)subject->path, (char *)"--version", NULL};
    read_output(arguments, subject->version, sizeof subject->version);
    subject->version[strcspn(subject->version, "\n")] = 0;
}

static int number(const char *text, int most)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < 0 || value > most) die("%s: expected 0 to %d", text, most);
    return (int)value;
}

int main(int count, char **words)
{
    static const struct option options[] = {
        {"work", required_argument, NULL, 'w'},    {"rounds", required_argument, NULL, 'n'},
        {"warm-up", required_argument, NULL, 'u'}, {"idle", required_argument, NULL, 'i'},
        {"many", required_argument, NULL, 'm'},    {"timeline", no_argument, NULL, 't'},
        {"command-line", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0},
    };
    int rounds = 60, warm_up = 3, many = 0;
    bool timeline = false;
    const char *command_line = words[0];
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'w': work = optarg; break;
        case 'n': rounds = number(optarg, MAX_ROUNDS); break;
        case 'u': warm_up = number(optarg, MAX_ROUNDS); break;
        case 'i': idle_ms = number(optarg, 10000); break;
        case 'm': many = number(optarg, 3000); break;
        case 't': timeline = true; break;
        case 'c': command_line = optarg; break;
        default: return 2;
        }
    }
    if (!work || rounds == 0) die("--work is needed, and at least one round");

    open_outputs(work);
    // What `create` leaves behind becomes our child, to be waited for without asking the runtime.
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (int i = optind; i < count; i++) add_runtime(words[i]);
    char floor_path[PATH_SIZE];
    snprintf(floor_path, sizeof floor_path, "%s/floor", work);
    add_subject("floor", floor_path, FLOOR_RUN);
    add_subject("floor, whole config", floor_path, FLOOR_FULL);
    add_subject("floor process", floor_path, FLOOR_START);

    start_live_containers();
    run_cases(rounds, warm_up);
    fprintf(stderr, "bench: memory, system calls\n");
    measure_peaks();
    find_smallest_limits();
    measure_calls();
    if (many > 0) measure_crowds(many, rounds < 30 ? rounds : 30);
    print_report(command_line, rounds, timeline);
    remove_everything();
    return 0;
}
