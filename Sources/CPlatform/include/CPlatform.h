/* The C code of the library, which Swift cannot express, as one module. Swift imports neither Foundation nor Glibc. */
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <math.h>

#include "atomics.h"
#include "callback_loops.h"
#include "decimal_text.h"
#include "environment.h"
#include "error_text.h"
#include "files.h"
#include "foreign.h"
#include "gate.h"
#include "libraries.h"
#include "memory.h"
#include "parts.h"
#include "powers_of_two.h"
#include "readers.h"
#include "reason.h"
#include "reserve.h"
#include "stack_buffer.h"
#include "threads.h"

#endif
