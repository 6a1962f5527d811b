#include "csys.h"
int csys_present(void) { return 1; }
