/* Headers only; SwiftPM wants one file to compile. */
#include "csys.h"
