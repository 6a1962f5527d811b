// The timed cases. All subjects take turns within a round, in an order shuffled anew for each case,
// so that whatever the machine does meanwhile, and whatever the one before left to be cleaned up,
// hits all alike.

#define _GNU_SOURCE
#include "bench.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const char *const case_names[CASES] = {
    [RUN] = "`run` of `true`",
    [RUN_DOCKER] = "`run`, Docker's config",
    [CREATE] = "`create`",
    [START] = "`start`",
    [STATE] = "`state`",
    [EXEC] = "`exec` of `true`",
    [DELETE] = "`delete`",
    [PROCESS] = "start of a process",
};

struct series results[MODES][CASES][MAX_SUBJECTS];
struct peak peaks[CASES][MAX_SUBJECTS];
int idle_ms = 30;

static const char *const verbs[CASES] = {
    [RUN] = "run",     [RUN_DOCKER] = "run", [CREATE] = "create", [START] = "start",
    [STATE] = "state", [EXEC] = "exec",      [DELETE] = "delete", [PROCESS] = "start",
};
static const char *const bundles[CASES] = {
    [RUN] = "default", [RUN_DOCKER] = "docker", [CREATE] = "default",
};

// The container that create, start and delete of this round are about.
static struct {
    char id[32];
    pid_t pid;
} current[MAX_SUBJECTS];

static bool takes_part(const struct subject *subject, enum case_id id)
{
    switch (subject->kind) {
    case RUNTIME: return id != PROCESS;
    case FLOOR_RUN:
    case FLOOR_FULL: return id == RUN;
    case FLOOR_START: return id == PROCESS;
    }
    return false;
}

static void shuffle(int order[], int count)
{
    static uint32_t state = 2463534242u;  // xorshift, the same sequence in every run
    for (int i = 0; i < count; i++) order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        int other = (int)(state % (uint32_t)(i + 1)), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

// Untimed: what has to be so before the case's command can run.
static void prepare(int index, enum case_id id)
{
    if (id == RUN || id == RUN_DOCKER || id == CREATE) {
        fresh_id(current[index].id);
        if (subjects[index].kind == RUNTIME) remember(&subjects[index], current[index].id);
    }
    if (id == DELETE) reap(current[index].pid);
}

static void build(int index, enum case_id id, char *arguments[MAX_ARGUMENTS])
{
    const struct subject *subject = &subjects[index];
    const char *container = id == STATE || id == EXEC ? subject->live : current[index].id;
    command(subject, verbs[id], bundles[id], container, arguments);
}

static void settle(int index, enum case_id id)
{
    if (id == CREATE) current[index].pid = created_pid(&subjects[index], current[index].id);
    if (id == RUN || id == RUN_DOCKER || id == DELETE) forget(current[index].id);
}

static void time_case(enum mode mode, enum case_id id, bool record)
{
    int order[MAX_SUBJECTS];
    char *arguments[MAX_ARGUMENTS];
    shuffle(order, subject_count);
    for (int turn = 0; turn < subject_count; turn++) {
        int index = order[turn];
        if (!takes_part(&subjects[index], id)) continue;
        prepare(index, id);
        build(index, id, arguments);
        if (mode == SPACED) sleep_ms(idle_ms);
        struct outcome outcome = run_command(arguments, MUST_SUCCEED);
        settle(index, id);
        struct series *series = &results[mode][id][index];
        if (!record || series->count == MAX_ROUNDS) continue;
        series->ms[series->count] = outcome.ms;
        series->cpu_ms[series->count++] = outcome.cpu_ms;
    }
}

void run_cases(int rounds, int warm_up)
{
    double start = now_ms();
    for (int round = -warm_up; round < rounds; round++) {
        for (int mode = 0; mode < MODES; mode++)
            for (int id = 0; id < CASES; id++)
                time_case((enum mode)mode, (enum case_id)id, round >= 0);
        if (round == 0 || (round + 1) % 10 == 0)
            fprintf(stderr, "bench: round %d of %d, %.0f s\n", round + 1, rounds,
                    (now_ms() - start) / 1e3);
    }
}

void measure_peaks(void)
{
    char *arguments[MAX_ARGUMENTS];
    for (int repeat = 0; repeat < 6; repeat++) {
        for (int id = 0; id < CASES; id++) {
            for (int index = 0; index < subject_count; index++) {
                if (!takes_part(&subjects[index], (enum case_id)id)) continue;
                prepare(index, (enum case_id)id);
                build(index, (enum case_id)id, arguments);
                struct peak *peak = &peaks[id][index];
                long own = 0, largest = 0;
                if (repeat % 2)
                    own = own_peak_kib(arguments);
                else
                    largest = run_command(arguments, MUST_SUCCEED).rss_kib;
                settle(index, (enum case_id)id);
                if (own > peak->own) peak->own = own;
                if (largest > peak->largest) peak->largest = largest;
            }
        }
    }
}
