/* banned.h - calls that have a safer sibling here. Forced into every file by the build. */
#ifndef CDA_UTIL_BANNED_H
#define CDA_UTIL_BANNED_H

/* The headers come first, so that the names stay usable in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen

#endif
