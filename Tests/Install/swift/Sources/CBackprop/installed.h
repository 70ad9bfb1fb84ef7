#include <backprop.h>
