#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *
xcheck(void *pointer)
{
	if (pointer == NULL) {
		log_msg(LOG_CRIT, "memory", "out of memory");
		exit(EXIT_FAILURE);
	}
	return pointer;
}

void *
xmalloc(size_t size)
{
	return xcheck(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return xcheck(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *
xrealloc(void *pointer, size_t size)
{
	return xcheck(realloc(pointer, size > 0 ? size : 1));
}

char *
xstrdup(const char *text)
{
	return xcheck(strdup(text));
}

char *
xmemdup(const void *bytes, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return xcheck(n == -1 ? NULL : text);
}
