#ifndef SWRUNC_ENTRY_H
#define SWRUNC_ENTRY_H

// The executable's entry point, in place of the C library's `_start` (see entry.c).
void swrunc_entry(void);

#endif
