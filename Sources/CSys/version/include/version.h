#ifndef SWRUNC_VERSION_H
#define SWRUNC_VERSION_H

/* The commit this program was built from, or "unknown". */
const char *_Nonnull swrunc_commit(void);

#endif
