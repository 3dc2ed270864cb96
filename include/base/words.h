#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>

/* Whether the word stands in a list with commas, in any case. */
bool words_have(const char *list, const char *word);

#endif
