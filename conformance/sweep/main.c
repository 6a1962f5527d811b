// sweep: looks for holes in a runtime: whatever is killed, whatever fails, whatever runs at the
// same time, a container is as it was asked for or there is an error, and nothing is left of it.
//
// usage: sweep --runtime FILE --probe FILE [FLAGS] [SWEEP|POINT]...
//
// SWEEP is kill, fault, deny, race or soak (all without one); POINT is what a finding says, such as
// fault/plain/create/1.openat.7/EMFILE. See docs/security.md.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *only_command, *only_kind;
bool verbose;

// Whatever is on its way is finished, and taken away.
volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

// Of all workers.
static struct totals {
    int points, listed, different, missed, findings;
    double ms;
} *totals, *current;

void finding(const char *how, const char *format, ...)
{
    va_list list;
    char text[4096];
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = '|';
    printf("make sweep ARGUMENTS=%s  # %s\n", how, text);
    fflush(stdout);
    __atomic_add_fetch(&current->findings, 1, __ATOMIC_RELAXED);
}

void missed(const char *how)
{
    if (verbose) printf("not reached: %s\n", how);
    __atomic_add_fetch(&current->missed, 1, __ATOMIC_RELAXED);
}

unsigned random_number(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static struct options {
    const char *runtime, *probe;
    unsigned seed;
    double seconds; // 0 for all points
    int jobs, rounds, cycles, live;
} options = {.jobs = 2, .rounds = 100, .cycles = 10000, .live = 500};

// ---- a worker: its share of the points, in an order that the seed decides

enum { KILL, FAULT, DENY, SWEEPS };
static const char *const sweeps[SWEEPS] = {"kill", "fault", "deny"};
// Of the seconds that there are for these three.
static const double parts[SWEEPS] = {0.3, 0.6, 0.1};

static int sweep_of(const struct point *point)
{
    return point->fault.kind == KILLED ? KILL : point->fault.kind == DENIED ? DENY : FAULT;
}

static void shuffle(struct point *points, int count)
{
    unsigned state = options.seed * 2654435761u + 1;
    for (int i = count - 1; i > 0; i--) {
        int other = (int)(random_number(&state) % (unsigned)(i + 1));
        struct point kept = points[i];
        points[i] = points[other];
        points[other] = kept;
    }
}

static bool is_same_place(const struct point *one, const struct point *two)
{
    const struct fault *a = &one->fault, *b = &two->fault;
    return one->command == two->command && one->kind == two->kind && a->kind == b->kind &&
           a->error == b->error && a->call.number == b->call.number &&
           a->call.process == b->call.process && !strcmp(a->call.text, b->call.text);
}

static unsigned hash_of(const struct point *point)
{
    const struct fault *fault = &point->fault;
    unsigned hash = (unsigned)(point->command - commands) * 31 + (unsigned)point->kind;
    hash = hash * 31 + (unsigned)fault->kind;
    hash = hash * 131 + (unsigned)fault->error;
    hash = hash * 601 + (unsigned)fault->call.number;
    hash = hash * 67 + (unsigned)fault->call.process;
    for (const char *c = fault->call.text; *c; c++) hash = hash * 33 + (unsigned char)*c;
    return hash;
}

// Points of the same call on the same file are alike: one of each comes before the others.
static void different_first(struct point *points, int count)
{
    enum { BUCKETS = 1 << 18 };
    int *buckets = calloc(BUCKETS, sizeof *buckets), first = 0;
    struct point *sorted = malloc((size_t)count * sizeof *sorted);
    if (!buckets || !sorted) die("out of memory");
    int last = count;
    for (int i = 0; i < count; i++) {
        unsigned bucket = hash_of(&points[i]) % BUCKETS;
        bool known = false;
        for (; buckets[bucket] && !known; bucket = (bucket + 1) % BUCKETS)
            known = is_same_place(&sorted[buckets[bucket] - 1], &points[i]);
        if (known) {
            sorted[--last] = points[i];
        } else {
            sorted[first] = points[i];
            buckets[bucket] = ++first;
        }
    }
    memcpy(points, sorted, (size_t)count * sizeof *sorted);
    __atomic_add_fetch(&totals->different, first, __ATOMIC_RELAXED);
    free(buckets);
    free(sorted);
}

// Every half minute.
static void tell_progress(const char *sweep)
{
    static double told;
    if (told == 0) told = now_ms();
    if (now_ms() - told < 30e3) return;
    told = now_ms();
    fprintf(stderr, "sweep: %s: %d points, %d findings\n", sweep, current->points,
            current->findings);
}

static void sweep_points(int sweep, const struct point *points, int count)
{
    double began = now_ms();
    for (int i = 0; i < count; i++) {
        if (sweep_of(&points[i]) != sweep || interrupted) continue;
        __atomic_add_fetch(&totals[sweep].listed, 1, __ATOMIC_RELAXED);
        if (options.seconds > 0 && now_ms() - began > options.seconds * parts[sweep] * 1e3)
            continue;
        current = &totals[sweep];
        judge_point(&points[i]);
        __atomic_add_fetch(&current->points, 1, __ATOMIC_RELAXED);
        tell_progress(sweeps[sweep]);
    }
    totals[sweep].ms = now_ms() - began;
}

static void enter(void)
{
    enter_place(options.runtime, options.probe, kind_is_here(SYSTEMD));
    static char errors[PATH_SIZE + 16];
    snprintf(errors, sizeof errors, "%s/stderr", work);
    standard_error = errors;
    prepare_bundles();
    note_place();
}

// The sweeps of single faults that are wanted, side by side.
static int in_workers(const bool wanted[SWEEPS])
{
    int failed = 0;
    fflush(stdout);
    for (int share = 0; share < options.jobs; share++) {
        if (fork() != 0) continue;
        struct point *points;
        enter();
        int count = list_points(&points, share, options.jobs);
        shuffle(points, count);
        different_first(points, count);
        for (int sweep = 0; sweep < SWEEPS; sweep++)
            if (wanted[sweep]) sweep_points(sweep, points, count);
        leave_place();
        exit(0);
    }
    int status = 0;
    while (wait(&status) > 0 || errno == EINTR) failed |= status != 0;
    printf("places that differ: %d\n", totals->different);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        if (!wanted[sweep]) continue;
        const struct totals *total = &totals[sweep];
        printf("%s: %d of %d points in %.0f s, %d not reached, %d findings\n", sweeps[sweep],
               total->points, total->listed, total->ms / 1e3, total->missed, total->findings);
        failed |= total->findings > 0 || total->points == 0;
    }
    return failed;
}

static int alone(int (*body)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        enter();
        int result = body();
        leave_place();
        exit(result);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status != 0;
}

static const char *one_name;

static int one_point(void)
{
    struct point point;
    if (!parse_point(one_name, &point)) die("%s: no such sweep or point", one_name);
    bool holds = judge_point(&point);
    printf("%s: %s\n", one_name,
           current->missed ? "not reached"
           : holds         ? "holds"
                           : "does not hold");
    return !holds || current->missed;
}

static int races(void)
{
    const char *pair = !strncmp(one_name, "race/", 5) ? one_name + 5 : NULL;
    race(options.seed, options.seconds * 0.5, options.rounds, pair);
    return current->findings > 0;
}

static int soaks(void)
{
    soak(options.cycles, options.live);
    return current->findings > 0;
}

static int sweep_alone(const char *name)
{
    one_name = name;
    bool is_race = !strcmp(name, "race") || !strncmp(name, "race/", 5),
         is_soak = !strcmp(name, "soak");
    current = &totals[SWEEPS];
    memset(current, 0, sizeof *current);
    int failed = alone(is_race ? races : is_soak ? soaks : one_point);
    if (is_race || is_soak)
        printf("%s: %d findings\n", is_race ? "race" : "soak", current->findings);
    return failed;
}

int main(int count, char **words)
{
    static const struct option flags[] = {
        {"runtime", required_argument, NULL, 'r'}, {"probe", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},    {"seconds", required_argument, NULL, 't'},
        {"jobs", required_argument, NULL, 'j'},    {"command", required_argument, NULL, 'c'},
        {"kind", required_argument, NULL, 'k'},    {"rounds", required_argument, NULL, 'n'},
        {"cycles", required_argument, NULL, 'y'},  {"live", required_argument, NULL, 'l'},
        {"verbose", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
    };
    options.seed = (unsigned)time(NULL);
    for (int flag; (flag = getopt_long(count, words, "", flags, NULL)) != -1;) {
        switch (flag) {
        case 'r': options.runtime = optarg; break;
        case 'p': options.probe = optarg; break;
        case 's': options.seed = (unsigned)strtoul(optarg, NULL, 10); break;
        case 't': options.seconds = atof(optarg); break;
        case 'j': options.jobs = atoi(optarg); break;
        case 'c': only_command = optarg; break;
        case 'k': only_kind = optarg; break;
        case 'n': options.rounds = atoi(optarg); break;
        case 'y': options.cycles = atoi(optarg); break;
        case 'l': options.live = atoi(optarg); break;
        case 'v': verbose = true; break;
        default: return 2;
        }
    }
    if (!options.runtime || !options.probe || options.jobs < 1)
        die("--runtime and --probe are needed");
    const char *wait = getenv("SWRUNC_PATIENCE");
    if (wait && atoi(wait) > 1) patience = atoi(wait);
    current = totals = mmap(NULL, (SWEEPS + 1) * sizeof *totals, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED) die("mmap: %s", strerror(errno));
    umask(022);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %u\n", options.seed);
    int failed = 0;
    bool wanted[SWEEPS] = {false}, any = false;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int i = optind; i < count; i++) wanted[sweep] |= !strcmp(words[i], sweeps[sweep]);
        wanted[sweep] |= optind == count;
        any |= wanted[sweep];
    }
    if (any) failed |= in_workers(wanted);
    if (optind == count) failed |= sweep_alone("race") | sweep_alone("soak");
    for (int i = optind; i < count; i++) {
        bool is_done = false;
        for (int sweep = 0; sweep < SWEEPS; sweep++) is_done |= !strcmp(words[i], sweeps[sweep]);
        if (!is_done) failed |= sweep_alone(words[i]);
    }
    return failed;
}
