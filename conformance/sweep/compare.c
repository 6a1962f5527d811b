// Two containers, fact by fact.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

// Differences between a container that was made with a fault and one without that are as they
// should be. docs/security.md ("Sweeps") says why as well.
static const struct {
    const char *calls[4]; // those that failed; none for any
    int error;            // 0 for any
    const char *path;     // what the call was about
    const char *fact;     // what is so instead
    const char *reason;
} tolerated[] = {
    {{"mknodat"}, 0, "*", "mount /dev/*", "a device that may not be made is the host's, bound"},
    {{"mknodat"}, 0, "*", "inside dev.*", "and has the host's mode and owner"},
    {{"open_tree", "move_mount", "mount_setattr"}, 0, "*", "mount /proc/*=0:# /null ro*",
     "without detached mounts a mask is the container's null device, once it is proven"},
    {{"keyctl"}, ENOSYS, "*", "* keyring=*", "a kernel without keyrings"},
    {{NULL}, 0, "/etc/passwd", "answer *", "an owner without a name is shown by number"},
};

size_t key_size(const char *line) { return strcspn(line, "=\n"); }

int compare_keys(const char *left, const char *right)
{
    size_t a = key_size(left), b = key_size(right), least = a < b ? a : b;
    int order = memcmp(left, right, least);
    return order ? order : (int)a - (int)b;
}

static bool has_key(struct facts *facts, const char *line)
{
    size_t size = key_size(line);
    for (const char *at = facts ? facts->text : NULL; at && *at; at = strchr(at, '\n') + 1)
        if (key_size(at) == size && memcmp(at, line, size) == 0) return true;
    return false;
}

static const char *next_line(const char *line) { return strchr(line, '\n') + 1; }

typedef void visit(const char *wanted, const char *found, void *context);

// Calls `body` for each key that is in one only, or has two values.
static void compare(struct facts *one, struct facts *two, visit *body, void *context)
{
    const char *a = one->text, *b = two->text;
    while (*a || *b) {
        int order = !*a ? 1 : !*b ? -1 : compare_keys(a, b);
        size_t line = strcspn(a, "\n");
        if (order < 0) {
            body(a, NULL, context);
            a = next_line(a);
        } else if (order > 0) {
            body(NULL, b, context);
            b = next_line(b);
        } else {
            if (line != strcspn(b, "\n") || memcmp(a, b, line) != 0) body(a, b, context);
            a = next_line(a);
            b = next_line(b);
        }
    }
}

struct learning {
    struct facts *known;
    FILE *file;
};

static void learn(const char *wanted, const char *found, void *context)
{
    struct learning *learning = context;
    const char *line = wanted ? wanted : found;
    if (!has_key(learning->known, line))
        fprintf(learning->file, "%.*s\n", (int)key_size(line), line);
}

void learn_volatile(struct facts *one, struct facts *two, struct facts *volatile_keys)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (volatile_keys->text) fputs(volatile_keys->text, file);
    compare(one, two, learn, &(struct learning){volatile_keys, file});
    fclose(file);
    free(volatile_keys->text);
    volatile_keys->text = text;
    volatile_keys->size = size;
}

struct difference {
    struct facts *volatile_keys;
    const struct fault *fault;
    char text[1024];
    int count;
};

static bool is_named(const char *const calls[4], const char *call)
{
    for (int i = 0; i < 4 && calls[i]; i++)
        if (!strcmp(calls[i], call)) return true;
    return !calls[0];
}

static bool is_tolerated(const char *found, const struct fault *fault)
{
    char line[2048];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(found, "\n"), found);
    for (size_t i = 0; fault && i < sizeof tolerated / sizeof *tolerated; i++)
        if (is_named(tolerated[i].calls, call_name(fault->call.number)) &&
            (!tolerated[i].error || tolerated[i].error == fault->error) &&
            fnmatch(tolerated[i].path, fault->call.text, 0) == 0 &&
            fnmatch(tolerated[i].fact, line, 0) == 0)
            return true;
    return false;
}

static void tell(const char *wanted, const char *found, void *context)
{
    struct difference *difference = context;
    const char *line = wanted ? wanted : found;
    if (has_key(difference->volatile_keys, line)) return;
    // Never that something is missing.
    if (found && is_tolerated(found, difference->fault)) return;
    if (difference->count++ >= 3) return;
    size_t used = strlen(difference->text), left = sizeof difference->text - used;
    size_t key = key_size(line);
    snprintf(difference->text + used, left, "%s%.*s is \"%.*s\", not \"%.*s\"", used ? "; " : "",
             (int)key, line, found ? (int)strcspn(found + key + 1, "\n") : 7,
             found ? found + key + 1 : "missing", wanted ? (int)strcspn(wanted + key + 1, "\n") : 7,
             wanted ? wanted + key + 1 : "missing");
}

const char *differences(struct facts *wanted, struct facts *found, struct facts *volatile_keys,
                        const struct fault *fault)
{
    static struct difference difference;
    difference = (struct difference){volatile_keys, fault, "", 0};
    compare(wanted, found, tell, &difference);
    if (difference.count > 3) {
        size_t used = strlen(difference.text);
        snprintf(difference.text + used, sizeof difference.text - used, "; and %d more",
                 difference.count - 3);
    }
    return difference.text;
}
