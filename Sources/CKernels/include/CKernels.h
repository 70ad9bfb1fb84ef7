/* What networks and kernels agree on: one module for Swift. */
#ifndef CKERNELS_H
#define CKERNELS_H

#include "instruction_sets.h"
#include "kernels.h"
#include "vectors.h"

#endif
