/* What Swift cannot say by itself: one module for the C side, without Foundation or Glibc. */
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include "atomics.h"
#include "calls.h"
#include "environment.h"
#include "error_text.h"
#include "files.h"
#include "foreign.h"
#include "gate.h"
#include "libraries.h"
#include "memory.h"
#include "numbers.h"
#include "reason.h"
#include "reserve.h"
#include "threads.h"

#endif
