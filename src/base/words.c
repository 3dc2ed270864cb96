#include "base/words.h"

#include <string.h>
#include <strings.h>

bool
words_have(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t item = strcspn(list, ",");

		if (item == len && strncasecmp(list, word, len) == 0)
			return true;
		list += item + (list[item] == ',');
	}
	return false;
}
