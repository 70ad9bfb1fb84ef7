#include "this_thread.h"

_Thread_local cp_thread cp_this_thread __attribute__((tls_model("initial-exec")));
