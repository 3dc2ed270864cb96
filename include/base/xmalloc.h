#ifndef BASE_XMALLOC_H
#define BASE_XMALLOC_H

#include <stddef.h>

/* Allocation of small, fixed sizes: when memory is out, these end the process with a
 * message. A size that comes from outside is bounded before it gets here. The caller
 * owns what they return and frees it with free(). */

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);

/* For what a library allocates: gives pointer back, or ends likewise when it is NULL.
 */
void *xcheck(void *pointer);

/* A copy of len bytes with a NUL byte behind them. */
char *xmemdup(const void *bytes, size_t len);

char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
