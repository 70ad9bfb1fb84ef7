/* The size of a text for the cause of a system error: one line, truncated to this size. */
#ifndef CPLATFORM_REASON_H
#define CPLATFORM_REASON_H

enum { CP_REASON_SIZE = 768 };

#endif
