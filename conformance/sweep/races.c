// Two commands on one container at the same time: each does its work or says why not, and what they
// say fits together.

#define _GNU_SOURCE
#include "sweep.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {
    "create", "start",  "state",  "kill", "delete", "delete-force", "exec",
    "pause",  "resume", "update", "list", "ps",     "mounts-add",
};
enum { COUNT = sizeof names / sizeof *names, LONGEST_DELAY_US = 4000 };

static const char *const befores[] = {
    [NOTHING] = "nothing", [CREATED] = "created", [RUNNING] = "running",
    [PAUSED] = "paused",   [STOPPED] = "stopped", [HALF] = "half",
};

// One of the two.
struct side {
    const struct command *command;
    int status;
    char out[PATH_SIZE + 16], err[PATH_SIZE + 16];
    char answer[65536], words[2048];
};

static struct round {
    struct side sides[2];
    struct container container;
    enum before before;
    char name[PATH_SIZE];
} round_;
static struct container bystander;

static const struct command *find(const char *name)
{
    for (int i = 0; i < command_count; i++)
        if (!strcmp(commands[i].name, name)) return &commands[i];
    die("%s: no such command", name);
}

static bool is(const struct side *side, const char *name)
{
    return !strncmp(side->command->name, name, strlen(name));
}

static bool either(const char *name)
{
    return is(&round_.sides[0], name) || is(&round_.sides[1], name);
}

static bool succeeded(const struct side *side) { return side->status == 0; }

// ---- the rules

static void judge_words(const struct side *side)
{
    bool ends = either("kill") || either("delete");
    bool as_killed = WIFEXITED(side->status) && WEXITSTATUS(side->status) == 128 + SIGKILL;
    if (!WIFEXITED(side->status)) {
        finding(round_.name, "`%s` ends with %x: %s", side->command->name, side->status,
                side->words);
        return;
    }
    if (succeeded(side)) return;
    if (!side->words[0] && !(is(side, "exec") && ends && as_killed))
        finding(round_.name, "`%s` fails without a word", side->command->name);
    if (!either("create") && !either("delete") && strstr(side->words, "does not exist"))
        finding(round_.name, "`%s` denies what is there: %s", side->command->name, side->words);
}

static void judge_answer(const struct side *side)
{
    if (is(side, "list")) {
        char line[128];
        snprintf(line, sizeof line, "%s ", bystander.id);
        if (!succeeded(side))
            finding(round_.name, "`list` fails: %s", side->words);
        else if (!strstr(side->answer, line))
            finding(round_.name, "`list` leaves out another container: %s", side->answer);
    }
    if (is(side, "state") && succeeded(side) && !strstr(side->answer, "\"status\": \""))
        finding(round_.name, "`state` answers %s", side->answer);
    if (is(side, "exec")) {
        bool whole = strstr(side->answer, "\nend=1\n");
        if (succeeded(side) && !whole) finding(round_.name, "`exec` succeeds without its program");
        bool ends = either("kill") || either("delete");
        if (!succeeded(side) && side->answer[0] && !ends)
            finding(round_.name, "`exec` fails and its program has run: %s", side->words);
    }
}

// A command beside one that only asks has to come out as if it were alone.
static void judge_beside(const struct side *side, const struct side *other)
{
    if (!other->command->only_asks || side->command->before != round_.before || succeeded(side))
        return;
    finding(round_.name, "`%s` fails beside `%s`: %s", side->command->name, other->command->name,
            side->words);
}

static void judge_twins(void)
{
    const struct side *one = &round_.sides[0], *two = &round_.sides[1];
    if (one->command != two->command || one->command->before != round_.before) return;
    bool only_one = is(one, "create") || is(one, "start") || !strcmp(one->command->name, "delete");
    int count = succeeded(one) + succeeded(two);
    if (only_one && count != 1)
        finding(round_.name, "%d of two succeed: %s; %s", count, one->words, two->words);
}

static bool is_dead(void *context) { return !lives(*(pid_t *)context); }

static bool has_output(void *context)
{
    (void)context;
    return has_started(&round_.container);
}

static void judge_work(const struct side *side)
{
    struct container *container = &round_.container;
    bool ends = either("kill") || either("delete");
    // What cgroup v1 has frozen dies once it is thawed.
    if (is(side, "kill") && succeeded(side) && !either("pause") && container->pid > 0 &&
        !eventually(is_dead, &container->pid, 3000))
        finding(round_.name, "`kill` succeeds and its process lives");
    if (is(side, "start") && succeeded(side) && !ends && !either("pause") &&
        !eventually(has_output, NULL, 3000))
        finding(round_.name, "`start` succeeds and the program does not run");
    if (is(side, "start") && !succeeded(side) && round_.before == CREATED &&
        !(is(&round_.sides[0], "start") && is(&round_.sides[1], "start")) && has_started(container))
        finding(round_.name, "`start` fails and the program has run: %s", side->words);
}

static void cgroup_file(const char *v1, const char *name, char *text, size_t size)
{
    char path[PATH_SIZE * 3];
    for (int i = 0; i < hierarchy_count; i++) {
        const char *last = strrchr(hierarchies[i].mount, '/') + 1;
        if (strcmp(last, v1) != 0 && hierarchy_count > 1) continue;
        snprintf(path, sizeof path, "%s%s/%s", hierarchies[i].mount, round_.container.cgroup, name);
        if (read_text(path, text, size)) return;
    }
    text[0] = 0;
}

// What is said of the container once all is quiet, against what is so.
static void judge_end(void)
{
    char state[4096], text[256];
    bool deleted = false, updated = false;
    for (int i = 0; i < 2; i++) {
        deleted |= is(&round_.sides[i], "delete") && succeeded(&round_.sides[i]);
        updated |= is(&round_.sides[i], "update") && succeeded(&round_.sides[i]);
    }
    bool there = command_on(&round_.container, state, sizeof state, "state", "ID", NULL) == 0;
    if (deleted && !either("create")) {
        const char *left = leftovers(round_.container.cgroup);
        if (there) finding(round_.name, "`delete` succeeds and `state` knows it");
        if (left[0]) finding(round_.name, "`delete` succeeds and leaves %s", left);
        return;
    }
    if (!there) {
        // A start that fails ends the container and deletes it (runtime.md, Lifecycle).
        for (int i = 0; i < 2; i++)
            if (is(&round_.sides[i], "start") && !succeeded(&round_.sides[i])) return;
        bool wanted =
            round_.before != NOTHING || succeeded(&round_.sides[0]) || succeeded(&round_.sides[1]);
        if (wanted && !either("delete") && !either("list") &&
            (round_.before != NOTHING || either("create")))
            finding(round_.name, "`state` fails at the end: %s", state);
        return;
    }
    cgroup_file("freezer",
                exists("/sys/fs/cgroup/cgroup.controllers") ? "cgroup.freeze" : "freezer.state",
                text, sizeof text);
    bool frozen = strstr(text, "FROZEN") || !strcmp(text, "1\n");
    if (frozen != (strstr(state, "\"paused\"") != NULL) && !strstr(state, "\"stopped\""))
        finding(round_.name, "`state` says %.200s, and the freezer %s", strstr(state, "\"status"),
                text);
    cgroup_file("pids", "pids.max", text, sizeof text);
    if (updated && strcmp(text, "32\n") != 0)
        finding(round_.name, "`update` succeeds and pids.max is %s", text);
}

// ---- one round

static void prepare_side(struct side *side, int number)
{
    snprintf(side->out, sizeof side->out, "%s/stdout%d", work, number);
    snprintf(side->err, sizeof side->err, "%s/stderr%d", work, number);
    unlink(side->out);
    unlink(side->err);
}

static pid_t start_side(struct side *side)
{
    char *arguments[MAX_ARGUMENTS];
    build(side->command, &round_.container, arguments);
    return start_plain(arguments, is(side, "create") ? round_.container.output : side->out,
                       side->err);
}

static void one_round(unsigned *random)
{
    struct container *container = &round_.container;
    fresh_container(PLAIN, container);
    for (int i = 0; i < 2; i++) prepare_side(&round_.sides[i], i);
    if (!bring_to(container, round_.before)) {
        finding(round_.name, "the container could not be made");
        remove_leftovers(container->cgroup);
        return;
    }
    int first = (int)(random_number(random) & 1);
    pid_t one = start_side(&round_.sides[first]);
    usleep(random_number(random) % LONGEST_DELAY_US);
    pid_t two = start_side(&round_.sides[!first]);
    // What is executed in a paused container comes to no end.
    bool waits = is(&round_.sides[first], "exec");
    round_.sides[waits ? !first : first].status = wait_plain(waits ? two : one);
    if (either("exec") && either("pause")) command_on(container, NULL, 0, "resume", "ID", NULL);
    round_.sides[waits ? first : !first].status = wait_plain(waits ? one : two);
    for (int i = 0; i < 2; i++) {
        struct side *side = &round_.sides[i];
        read_text(side->out, side->answer, sizeof side->answer);
        read_text(side->err, side->words, sizeof side->words);
    }
    for (int i = 0; i < 2; i++) {
        judge_words(&round_.sides[i]);
        judge_answer(&round_.sides[i]);
        judge_beside(&round_.sides[i], &round_.sides[!i]);
        judge_work(&round_.sides[i]);
    }
    judge_twins();
    judge_end();
    char text[4096];
    if (command_on(container, text, sizeof text, "delete", "--force", "ID") != 0)
        finding(round_.name, "`delete --force` at the end fails: %s", text);
    const char *left = leftovers(container->cgroup);
    if (left[0]) finding(round_.name, "`delete --force` at the end leaves %s", left);
    if (left[0]) remove_leftovers(container->cgroup);
}

static int race_pair(const char *one, const char *two, unsigned *random)
{
    round_.sides[0].command = find(one);
    round_.sides[1].command = find(two);
    snprintf(round_.name, sizeof round_.name, "race/%s+%s", one, two);
    int rounds = 0;
    for (int i = 0; i < 2; i++) {
        round_.before = round_.sides[i].command->before;
        if (i == 1 && round_.before == round_.sides[0].command->before) break;
        snprintf(round_.name, sizeof round_.name, "race/%s+%s  # from %s", one, two,
                 befores[round_.before]);
        one_round(random);
        rounds++;
    }
    return rounds;
}

void race(unsigned seed, double seconds, int rounds, const char *only)
{
    unsigned random = seed * 2654435761u + 7;
    double began = now_ms();
    int done = 0, count = 0;
    fresh_container(PLAIN, &bystander);
    if (!bring_to(&bystander, RUNNING)) die("the container that others must not disturb: not made");
    keep_children();
    keep_state(bystander.id);
    for (; count < rounds; count++)
        for (int i = 0; i < COUNT; i++)
            for (int j = i; j < COUNT; j++) {
                char name[PATH_SIZE];
                snprintf(name, sizeof name, "%s+%s", names[i], names[j]);
                if (only && strcmp(only, name)) continue;
                bool late = seconds > 0 && now_ms() - began > seconds * 1e3;
                if (late || interrupted) goto ended;
                done += race_pair(names[i], names[j], &random);
            }
ended:
    command_on(&bystander, NULL, 0, "delete", "--force", "ID");
    remove_leftovers(bystander.cgroup);
    printf("race: %d rounds of pairs in %.0f s\n", done, (now_ms() - began) / 1e3);
}
