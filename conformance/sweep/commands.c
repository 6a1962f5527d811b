// The commands that are swept: what has to be there before, and their words.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEN "/proc/keys", "/proc/timer_list", "/sys/kernel/notes", "/proc/sys/kernel/msgmax"

const struct command commands[] = {
    {"create", NOTHING, {"create", "--bundle", "BUNDLE", "ID"}, true, false},
    {"run", NOTHING, {"run", "--detach", "--bundle", "BUNDLE", "ID"}, true, false},
    {"start", CREATED, {"start", "ID"}, true, false},
    {"exec", RUNNING, {"exec", "ID", "/bin/probe", "facts", SEEN}, true, false},
    {"kill", RUNNING, {"kill", "ID", "KILL"}, false, false},
    {"delete", STOPPED, {"delete", "ID"}, false, false},
    {"delete-force", RUNNING, {"delete", "--force", "ID"}, false, false},
    {"delete-created", CREATED, {"delete", "--force", "ID"}, false, false},
    {"delete-half", HALF, {"delete", "--force", "ID"}, false, false},
    {"update",
     RUNNING,
     {"update", "--memory", "48m", "--pids-limit", "32", "--cpu-share", "256", "ID"},
     false,
     false},
    {"pause", RUNNING, {"pause", "ID"}, false, false},
    {"resume", PAUSED, {"resume", "ID"}, false, false},
    {"mounts-add", RUNNING, {"mounts", "add", "ID", "MOUNTS"}, false, false},
    {"checkpoint", RUNNING, {"checkpoint", "--image-path", "IMAGES", "ID"}, false, false},
    {"state", RUNNING, {"state", "ID"}, false, true},
    {"list", RUNNING, {"list"}, false, true},
    {"ps", RUNNING, {"ps", "--format", "json", "ID"}, false, true},
};
const int command_count = sizeof commands / sizeof *commands;

void fresh_container(enum kind kind, struct container *container)
{
    static int number = 10000;
    memset(container, 0, sizeof *container);
    container->kind = kind;
    snprintf(container->id, sizeof container->id, "sweep%d-%d", getpid(), number++);
    cgroup_of(kind, container->id, container->cgroup);
    snprintf(container->output, PATH_SIZE, "%s/output", work);
    unlink(container->output);
    write_config(kind, container->id,
                 "[\"/bin/probe\", \"facts\", \"stay\", \"/proc/keys\", \"/proc/timer_list\","
                 " \"/sys/kernel/notes\", \"/proc/sys/kernel/msgmax\"]");
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/out/hooks", work);
    unlink(path);
}

void build(const struct command *command, const struct container *container,
           char *arguments[MAX_ARGUMENTS])
{
    static char root[PATH_SIZE + 16], bundle[PATH_SIZE + 16], mounts[PATH_SIZE + 16];
    static char images[PATH_SIZE + 16], id[64];
    int count = 0;
    snprintf(root, sizeof root, "%s/root", work);
    snprintf(bundle, sizeof bundle, "%s/bundle", work);
    snprintf(mounts, sizeof mounts, "%s/mounts.json", work);
    snprintf(images, sizeof images, "%s/images", work);
    snprintf(id, sizeof id, "%s", container->id);
    arguments[count++] = runtime_path;
    if (container->kind == SYSTEMD) arguments[count++] = (char *)"--systemd-cgroup";
    arguments[count++] = (char *)"--root";
    arguments[count++] = root;
    for (int i = 0; i < 10 && command->words[i]; i++) {
        const char *word = command->words[i];
        if (!strcmp(word, "ID")) word = id;
        if (!strcmp(word, "BUNDLE")) word = bundle;
        if (!strcmp(word, "MOUNTS")) word = mounts;
        if (!strcmp(word, "IMAGES")) word = images;
        arguments[count++] = (char *)word;
    }
    arguments[count] = NULL;
}

int command_on(const struct container *container, char *text, size_t size, const char *verb,
               const char *first, const char *second)
{
    const struct command command = {.words = {verb, first, second}};
    char *arguments[MAX_ARGUMENTS], path[PATH_SIZE + 16];
    build(&command, container, arguments);
    snprintf(path, sizeof path, "%s/answer", work);
    unlink(path);
    const char *kept = standard_error;
    standard_error = path;
    int status = run_plain(arguments, path);
    standard_error = kept;
    if (text) read_text(path, text, size);
    return status;
}

static pid_t pid_of(const struct container *container)
{
    char text[4096];
    if (command_on(container, text, sizeof text, "state", "ID", NULL) != 0) return 0;
    const char *pid = strstr(text, "\"pid\": ");
    return pid ? atoi(pid + 7) : 0;
}

bool has_started(const struct container *container)
{
    struct stat st;
    return stat(container->output, &st) == 0 && st.st_size > 0;
}

static bool is_whole(void *context)
{
    static char text[65536];
    read_text(((struct container *)context)->output, text, sizeof text);
    return strstr(text, "\nend=1\n");
}

static bool is_gone(void *context) { return !lives(((struct container *)context)->pid); }

// A process that has ended and that nobody has waited for does not live.
bool lives(pid_t pid)
{
    char path[64], text[512];
    reap();
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (pid <= 0 || !read_text(path, text, sizeof text)) return false;
    const char *after = strrchr(text, ')');
    return after && after[2] != 'Z' && after[2] != 'X';
}

static void halve(const struct container *container)
{
    char path[PATH_SIZE * 2];
    kill(container->pid, SIGKILL);
    eventually(is_gone, (void *)container, 3000);
    snprintf(path, sizeof path, "%s/root/%s/state.json", work, container->id);
    unlink(path);
}

bool bring_to(struct container *container, enum before before)
{
    static const struct command create = {
        .words = {"create", "--bundle", "BUNDLE", "ID"},
    };
    char *arguments[MAX_ARGUMENTS];
    if (before == NOTHING) return true;
    build(&create, container, arguments);
    if (run_plain(arguments, container->output) != 0) return false;
    container->pid = pid_of(container);
    if (container->pid <= 0) return false;
    if (before == HALF) halve(container);
    if (before == CREATED || before == HALF) return true;
    if (command_on(container, NULL, 0, "start", "ID", NULL) != 0) return false;
    if (!eventually(is_whole, container, 5000)) return false;
    if (before == PAUSED) return command_on(container, NULL, 0, "pause", "ID", NULL) == 0;
    if (before != STOPPED) return true;
    kill(container->pid, SIGKILL);
    return eventually(is_gone, container, 3000);
}
