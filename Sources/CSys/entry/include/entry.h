#ifndef SWRUNC_ENTRY_H
#define SWRUNC_ENTRY_H

// The executable's entry point, in place of the C library's `_start` (see entry.c).
void swrunc_entry(void);

// The descriptor of the mount that the executable is executed through; -1 where none is open.
int swrunc_executable_mount(void);

// The process's arguments, in place of Swift's CommandLine (see runtime.c).
char **swrunc_arguments(int *count);

#endif
