// The registers of a stopped tracee that ptrace(2) does not name alike on all machines.
#pragma once

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

#if defined(__x86_64__)
#include <stddef.h>

static inline long skip_call(pid_t pid)
{
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L);
}

static inline long set_result(pid_t pid, long result)
{
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result);
}

static inline long set_third_argument(pid_t pid, unsigned long value)
{
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rdx), value);
}
#else
#error "conformance/sweep/registers.h has no registers for this machine yet"
#endif
