// The verbs of a runtime, and everything that has to be gone at the end.

#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct subject subjects[MAX_SUBJECTS];
int subject_count;
const char *work;

enum { MAX_CONTAINERS = 4096 };

// Every container that exists, for the clean-up.
static struct {
    const struct subject *subject;
    char id[32];
} containers[MAX_CONTAINERS];
static int container_count;

void remember(const struct subject *subject, const char *id)
{
    if (container_count == MAX_CONTAINERS) die("too many containers");
    containers[container_count].subject = subject;
    snprintf(containers[container_count++].id, sizeof containers[0].id, "%s", id);
}

void forget(const char *id)
{
    for (int i = 0; i < container_count; i++) {
        if (strcmp(containers[i].id, id) != 0) continue;
        containers[i] = containers[--container_count];
        return;
    }
}

// Arguments live until the next call: one command is built, then run.
void command(const struct subject *subject, const char *verb, const char *bundle, const char *id,
             char *arguments[MAX_ARGUMENTS])
{
    static char bundle_path[PATH_SIZE], pid_path[PATH_SIZE], rootfs[PATH_SIZE], own_id[32];
    int count = 0;
#define ADD(word) arguments[count++] = (char *)(word)
    snprintf(bundle_path, sizeof bundle_path, "%s/%s", work, bundle ? bundle : "");
    snprintf(own_id, sizeof own_id, "%s", id ? id : "");
    ADD(subject->path);
    switch (subject->kind) {
    case FLOOR_START:
        ADD("start");
        break;
    case FLOOR_RUN:
    case FLOOR_FULL:
        snprintf(rootfs, sizeof rootfs, "%s/rootfs", work);
        ADD(subject->kind == FLOOR_RUN ? "run" : "full");
        ADD(rootfs);
        ADD(own_id);
        ADD("/bin/true");
        break;
    case RUNTIME:
        ADD("--root");
        ADD(subject->root);
        ADD(verb);
        if (strcmp(verb, "delete --force") == 0) {
            arguments[count - 1] = (char *)"delete";
            ADD("--force");
        }
        if (bundle) {
            ADD("--bundle");
            ADD(bundle_path);
        }
        if (strcmp(verb, "create") == 0) {
            snprintf(pid_path, sizeof pid_path, "%s/%s.pid", work, own_id);
            ADD("--pid-file");
            ADD(pid_path);
        }
        ADD(own_id);
        if (strcmp(verb, "exec") == 0) ADD("/bin/true");
        break;
    }
    ADD(NULL);
#undef ADD
}

void fresh_id(char id[32])
{
    static unsigned number;
    snprintf(id, 32, "swbench%d-%u", getpid(), number++);
}

pid_t created_pid(const struct subject *subject, const char *id)
{
    char path[PATH_SIZE];
    int pid = 0;
    snprintf(path, sizeof path, "%s/%s.pid", work, id);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%d", &pid) != 1 || pid <= 1)
        die("%s create --pid-file wrote no pid to %s", subject->name, path);
    fclose(file);
    unlink(path);
    return pid;
}

void create_container(const struct subject *subject, const char *bundle, const char *id)
{
    char *arguments[MAX_ARGUMENTS];
    remember(subject, id);
    command(subject, "create", bundle, id, arguments);
    run_command(arguments, MUST_SUCCEED);
}

void reap(pid_t pid)
{
    double deadline = now_ms() + 10e3;
    for (;;) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid || (ended < 0 && errno == ECHILD)) return;
        if (now_ms() > deadline) die("the init of a container, pid %d, did not end", pid);
        usleep(200);
        check_interrupted();
    }
}

void delete_container(const struct subject *subject, const char *id)
{
    char *arguments[MAX_ARGUMENTS];
    command(subject, "delete --force", NULL, id, arguments);
    run_command(arguments, MUST_SUCCEED);
    forget(id);
}

void start_live_containers(void)
{
    char *arguments[MAX_ARGUMENTS];
    for (int i = 0; i < subject_count; i++) {
        struct subject *subject = &subjects[i];
        if (subject->kind != RUNTIME) continue;
        fresh_id(subject->live);
        create_container(subject, "sleep", subject->live);
        created_pid(subject, subject->live);
        command(subject, "start", NULL, subject->live, arguments);
        run_command(arguments, MUST_SUCCEED);
    }
}

// Whatever the runtimes left: our children, and cgroups that carry this bench's name.
static void kill_children(void)
{
    char path[64], text[65536];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    if (!file) return;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
        kill((pid_t)atoi(word), SIGKILL);
    double deadline = now_ms() + 5e3;
    while (now_ms() < deadline) {
        pid_t ended = waitpid(-1, NULL, WNOHANG);
        if (ended < 0) return;
        if (ended == 0) usleep(1000);
    }
}

static void remove_cgroups(const char *directory, const char *prefix, int depth, bool ours)
{
    DIR *stream = opendir(directory);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        char path[PATH_SIZE * 2];
        bool named = strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (depth > 0) remove_cgroups(path, prefix, depth - 1, ours || named);
        if (ours || named) rmdir(path);
    }
    closedir(stream);
}

void remove_everything(void)
{
    static bool done;
    if (done) return;
    done = true;
    char *arguments[MAX_ARGUMENTS], prefix[32];
    bool was_interrupted = interrupted;
    // A second signal does not stop the clean-up that the first one asked for.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    interrupted = 0;
    while (container_count > 0) {
        container_count--;
        command(containers[container_count].subject, "delete --force", NULL,
                containers[container_count].id, arguments);
        run_command(arguments, MAY_FAIL);
    }
    kill_children();
    snprintf(prefix, sizeof prefix, "swbench%d-", getpid());
    remove_cgroups("/sys/fs/cgroup", prefix, 4, false);
    interrupted = was_interrupted;
}
