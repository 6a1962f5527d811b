#include "version.h"

/* In a file of its own, so that a new commit costs one small compilation and the link. */
const char *swrunc_commit(void) { return SWRUNC_COMMIT; }
