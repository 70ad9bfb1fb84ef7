/* Why the system refused, in words: one line, cut to this size. */
#ifndef CPLATFORM_REASON_H
#define CPLATFORM_REASON_H

enum { CP_REASON_SIZE = 768 };

#endif
