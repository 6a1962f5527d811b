// The entry point of the executable. A command that starts a process in a container has to run from a
// file that the container cannot write to (CVE-2019-5736; the reasons stand in SelfExecutable.swift):
// it executes itself again through a read-only mount. Here that happens before the C library and the
// Swift runtime have set themselves up, so that they do it once and not twice: a tenth of a `run`.
//
// The mount is detached, and goes with its last descriptor; whoever closes that waits for a grace period of
// the kernel's. So it is left open, for the host to close while the init is at work.
//
// Nothing depends on it. Whatever fails here is left to SelfExecutable, which looks again, and has the
// other ways and the words for what goes wrong. The linker is told of it by the Makefile (--entry).
//
// Nothing of the C library may be called: its relocations and its thread's data are not there yet.

#include "entry.h"
#include "csys_call.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#if defined(__x86_64__)

// The kernel enters with the argument vector at the stack pointer and rdx = 0 (System V ABI).
__asm__(".text\n"
        ".globl swrunc_entry\n"
        ".type swrunc_entry, @function\n"
        "swrunc_entry:\n"
        "    xorl %ebp, %ebp\n"
        "    movq %rdx, %r12\n"
        "    movq %rsp, %r13\n"
        "    movq %rsp, %rdi\n"
        "    andq $-16, %rsp\n"
        "    call swrunc_execute_protected\n"
        "    movq %r13, %rsp\n"
        "    movq %r12, %rdx\n"
        "    jmp _start\n"
        ".size swrunc_entry, . - swrunc_entry\n");

#elif defined(__aarch64__)

__asm__(".text\n"
        ".globl swrunc_entry\n"
        ".type swrunc_entry, %function\n"
        "swrunc_entry:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x19, x0\n"
        "    mov x0, sp\n"
        "    bl swrunc_execute_protected\n"
        "    mov x0, x19\n"
        "    b _start\n"
        ".size swrunc_entry, . - swrunc_entry\n");

#endif

#ifdef CSYS_HAS_CALL

#define BEFORE_LIBC __attribute__((used, no_stack_protector, no_builtin))

BEFORE_LIBC static int equal(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

// Which commands these are, Session.performProtected knows. An id or a value that looks like one of
// them makes the process execute again for nothing, and that is all.
BEFORE_LIBC static int starts_process(char **arguments) {
    for (; *arguments; arguments++)
        if (equal(*arguments, "run") || equal(*arguments, "create") || equal(*arguments, "exec") ||
            equal(*arguments, "restore"))
            return 1;
    return 0;
}

static int executable_mount = -1;

int swrunc_executable_mount(void) { return executable_mount; }

// The number in "/dev/fd/N", which is what the kernel calls a file that it has executed by descriptor.
BEFORE_LIBC static int descriptor_executed(const long *auxiliary) {
    static const char prefix[] = "/dev/fd/";
    while (auxiliary[0] != AT_NULL && auxiliary[0] != AT_EXECFN) auxiliary += 2;
    const char *name = (const char *)auxiliary[1];
    if (auxiliary[0] == AT_NULL || !name) return -1;
    for (const char *p = prefix; *p; p++, name++)
        if (*name != *p) return -1;
    int number = 0;
    for (; *name >= '0' && *name <= '9' && number < 1000000; name++)
        number = number * 10 + (*name - '0');
    return number;
}

// In the process that has been executed again: one that was executed by a descriptor which did not
// stay open, or from a file that can be written to, is not.
BEFORE_LIBC static void keep_mount(char **environment) {
    while (*environment) environment++;
    int number = descriptor_executed((const long *)(environment + 1));
    if (number > 2 && csys_call(SYS_fcntl, number, F_SETFD, FD_CLOEXEC, 0, 0) == 0)
        executable_mount = number;
}

BEFORE_LIBC void swrunc_execute_protected(long *stack) {
    long count = stack[0];
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + count + 1;
    if (count < 2 || !starts_process(arguments + 1)) return;

    static const char self[] = "/proc/self/exe";
    if (csys_call(SYS_faccessat2, AT_FDCWD, (long)self, W_OK, AT_EACCESS, 0) != 0)
        return keep_mount(environment);
    long tree = csys_call(SYS_open_tree, AT_FDCWD, (long)self, OPEN_TREE_CLONE, 0, 0);
    if (tree < 0) return;
    // The place of a missing standard stream.
    if (tree <= 2) csys_call(SYS_fcntl, tree, F_SETFD, FD_CLOEXEC, 0, 0);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    long failed = csys_call(SYS_mount_setattr, tree, (long)"", AT_EMPTY_PATH, (long)&attributes,
                       sizeof attributes);
    if (!failed)
        csys_call(SYS_execveat, tree, (long)"", (long)arguments, (long)environment, AT_EMPTY_PATH);
    csys_call(SYS_close, tree, 0, 0, 0, 0);
}

#endif
