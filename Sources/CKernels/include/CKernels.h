/* The interface between networks and kernels, as one module for Swift. */
#ifndef CKERNELS_H
#define CKERNELS_H

#include "exponentials.h"
#include "instruction_sets.h"
#include "kernels.h"
#include "losses.h"
#include "vectors.h"

#endif
