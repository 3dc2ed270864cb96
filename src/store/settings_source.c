#include "store/settings_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "base/xmalloc.h"

/* Looks through the text of the configuration for what libconfig 1.5 takes badly:
 * - it ends the process when a file it includes cannot be read (a directory), and waits
 *   for ever on a pipe;
 * - it cuts numbers down to 32 bits without a word;
 * - it forgets to free a string that stands where none may;
 * - it takes a string or comment without an end as far as the file goes, and knows no
 *   comment on a last line without a line end.
 * The lexical rules are those of its manual, "Configuration Files". */

#define SOURCE_SIZE_MAX (16u * 1024 * 1024) /* bytes of all files together */
#define SOURCE_INCLUDES_MAX 256
#define SOURCE_INCLUDE_DEPTH_MAX 10 /* libconfig's own limit */
#define SOURCE_NESTING_MAX 32 /* brackets; the settings need 7 */

/* A file, and where in it. */
struct source_file {
	char *name; /* owned: as @include spells it; NULL: the configuration file */
	char *text; /* owned */
	const char *at, *end;
	unsigned line;
	bool line_start; /* nothing but blanks since the line began */
};

/* An included file goes on where the one that includes it stopped, so they share all
 * but the place. */
struct source {
	struct settings_reader *reader;
	size_t size; /* bytes read so far */
	unsigned includes; /* in all */
	struct source_file files[SOURCE_INCLUDE_DEPTH_MAX + 1];
	unsigned depth; /* of the file that is looked through, in files */
	char open[SOURCE_NESTING_MAX]; /* brackets */
	unsigned nesting;
	/* The token before: '=' for ':' too, 'a' for a name, a number or a bool. */
	char previous;
	bool stopped; /* no sense in looking further */
};

static void
source_skip(struct source_file *file, size_t len)
{
	for (; len > 0 && file->at < file->end; len--, file->at++) {
		if (*file->at == '\n')
			file->line++;
	}
}

static bool
source_starts(const struct source_file *file, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(file->end - file->at) >= len &&
	       memcmp(file->at, text, len) == 0;
}

/* Reads a file into its place in files, which stands zeroed but for the name. 0, or -1
 * with the fault told: of the line in `from` that includes it, if any. */
static int
source_open(
    struct source *source, struct source_file *file, const struct source_file *from)
{
	char *path = settings_file_path(source->reader, file->name);
	char *subject = from == NULL ? xstrdup("") : xasprintf("@include: %s ", path);
	const char *place = from == NULL ? NULL : from->name;
	unsigned line = from == NULL ? 0 : from->line;
	size_t len = 0;

	file->text = file_read(path, SOURCE_SIZE_MAX - source->size, &len);
	if (file->text == NULL && errno == EFBIG)
		settings_tell_place(source->reader, place, line,
		    "%sis too large; give at most 16 MiB, included files counted",
		    subject);
	else if (file->text == NULL)
		settings_tell_place(source->reader, place, line,
		    "%scannot be read (%s); give the path of a readable file", subject,
		    errno == EINVAL ? "Not a regular file" : strerror(errno));
	else if (memchr(file->text, '\0', len) != NULL) {
		settings_tell_place(source->reader, place, line,
		    "%sholds a NUL byte; give a file of text", subject);
		free(file->text);
		file->text = NULL;
	}
	free(subject);
	free(path);
	if (file->text == NULL)
		return -1;
	source->size += len;
	file->at = file->text;
	file->end = file->text + len;
	file->line = 1;
	file->line_start = true;
	return 0;
}

static void
source_close(struct source_file *file)
{
	free(file->text);
	free(file->name);
	memset(file, 0, sizeof *file);
}

static void
source_comment(struct source *source, struct source_file *file)
{
	const char *end;

	if (source_starts(file, "/*")) {
		end = memmem(file->at + 2, (size_t)(file->end - file->at) - 2, "*/", 2);
		if (end == NULL) {
			settings_tell_place(source->reader, file->name, file->line,
			    "this comment has no end; close it with */");
			source->stopped = true;
			return;
		}
		source_skip(file, (size_t)(end - file->at) + 2);
		return;
	}
	end = memchr(file->at, '\n', (size_t)(file->end - file->at));
	if (end == NULL) {
		settings_tell_place(source->reader, file->name, file->line,
		    "this comment has no line end; end the file with one");
		source->stopped = true;
		return;
	}
	source_skip(file, (size_t)(end - file->at));
}

/* Whether libconfig's grammar takes a string after what came before. Where that is
 * wrong itself, libconfig stops there and never gets to the string. */
static bool
source_may_be_string(const struct source *source)
{
	switch (source->previous) {
	case '=':
	case '(':
	case '[':
	case '"':
		return true;
	case ',':
		return source->nesting > 0 && source->open[source->nesting - 1] != '{';
	default:
		return false;
	}
}

static void
source_string(struct source *source, struct source_file *file)
{
	unsigned line = file->line;

	if (!source_may_be_string(source)) {
		settings_tell_place(source->reader, file->name, line,
		    "syntax error: no string can stand here; write NAME = \"TEXT\";");
		source->stopped = true;
	}
	source->previous = '"';
	source_skip(file, 1);
	while (file->at < file->end && *file->at != '"')
		source_skip(file, *file->at == '\\' ? 2 : 1);
	if (file->at == file->end) {
		settings_tell_place(source->reader, file->name, line,
		    "this string has no end; close it with \"");
		source->stopped = true;
	}
	source_skip(file, 1);
}

/* A word is a name, a number or true and false. libconfig keeps a whole number in 32
 * bits unless an 'L' follows, and then in 64. */
static void
source_word(struct source *source, struct source_file *file)
{
	const char *start = file->at, *digits, *end;
	bool is_hexadecimal, is_long;
	int64_t number;

	source->previous = 'a';
	while (file->at < file->end && (isalnum((unsigned char)*file->at) ||
					   strchr("+-_*.", *file->at) != NULL))
		file->at++;

	digits = start + (*start == '+' || *start == '-');
	is_hexadecimal = digits == start && file->at - start > 2 && *start == '0' &&
			 (start[1] == 'x' || start[1] == 'X');
	end = digits + (is_hexadecimal ? 2 : 0);
	while (end < file->at && (is_hexadecimal ? isxdigit((unsigned char)*end)
						 : isdigit((unsigned char)*end)))
		end++;
	if (end == digits ||
	    (end < file->at && (*end == '.' || *end == 'e' || *end == 'E')))
		return;
	is_long = end < file->at && *end == 'L';
	if (number_parse(start, (size_t)(end - start), is_long ? INT64_MIN : INT32_MIN,
		is_long ? INT64_MAX : INT32_MAX, &number) == 0 ||
	    errno != ERANGE)
		return;
	/* The number is not shown: it may be a factory value, and that a passkey. */
	settings_tell_place(source->reader, file->name, file->line,
	    "this number is too large; give -2147483648 to 2147483647, or a string");
}

/* Reads the path behind @include into name. 0, or -1 with the fault told. */
static int
source_include_name(
    struct source *source, struct source_file *file, const char *start, char **name)
{
	const char *end = start;
	const char *wrong = NULL;

	while (end < file->end && *end != '"' && *end != '\\' &&
	       !iscntrl((unsigned char)*end))
		end++;
	if (end == file->end || *end != '"')
		wrong =
		    "@include: not a path; give \"FILE\", without \\ and control bytes";
	else if (end == start || *start == '/')
		wrong = "@include: not a relative path; give one that starts from the "
			"directory of the configuration file";
	else if (source->depth == SOURCE_INCLUDE_DEPTH_MAX)
		wrong = "@include: nested too deep; give at most 10 files within each "
			"other";
	else if (source->includes == SOURCE_INCLUDES_MAX)
		wrong = "@include: too many files; give at most 256";
	if (wrong != NULL) {
		settings_tell_place(
		    source->reader, file->name, file->line, "%s", wrong);
		source->stopped = true;
		return -1;
	}
	*name = xmemdup(start, (size_t)(end - start));
	return 0;
}

/* Goes on to an included file, or only past the @include when that has a fault. False
 * when this is no @include. */
static bool
source_include(struct source *source, struct source_file *file)
{
	const char *start = file->at + strlen("@include");
	struct source_file *included = file + 1;
	char *name;

	if (!file->line_start || !source_starts(file, "@include"))
		return false;
	while (start < file->end && (*start == ' ' || *start == '\t'))
		start++;
	if (start == file->end || *start != '"' || start[-1] == 'e')
		return false;
	start++;
	if (source_include_name(source, file, start, &name) == -1)
		return true;
	file->at = start + strlen(name) + 1;
	file->line_start = false;
	included->name = name;
	if (source_open(source, included, file) == -1) {
		source_close(included);
		return true;
	}
	source->includes++;
	source->depth++;
	return true;
}

static void
source_bracket(struct source *source, const struct source_file *file)
{
	bool opens = strchr("([{", *file->at) != NULL;

	source->previous = *file->at;
	if (!opens) {
		source->nesting -= source->nesting > 0;
		return;
	}
	if (source->nesting == SOURCE_NESTING_MAX) {
		settings_tell_place(source->reader, file->name, file->line,
		    "brackets are nested too deep; give at most %d within each other",
		    SOURCE_NESTING_MAX);
		source->stopped = true;
		return;
	}
	source->open[source->nesting++] = *file->at;
}

/* Looks at the next token of a file that is not at its end. */
static void
source_scan(struct source *source, struct source_file *file)
{
	char c = *file->at;

	if (c == '@' && source_include(source, file))
		return;
	if (c == '#' || source_starts(file, "//") || source_starts(file, "/*")) {
		source_comment(source, file);
	} else if (c == '"') {
		source_string(source, file);
	} else if (isalnum((unsigned char)c) || strchr("*+-.", c) != NULL) {
		source_word(source, file);
	} else {
		if (strchr("()[]{}", c) != NULL)
			source_bracket(source, file);
		else if (c == '=' || c == ':')
			source->previous = '=';
		else if (c == ',' || c == ';')
			source->previous = c;
		source_skip(file, 1);
	}
	if (c != ' ' && c != '\t')
		file->line_start = c == '\n';
}

char *
settings_source_read(struct settings_reader *reader)
{
	struct source source = { .reader = reader, .previous = ';' };
	struct source_file *file = source.files;
	size_t len, faults = reader->faults;
	char *text = NULL;

	if (source_open(&source, file, NULL) == -1)
		return NULL;
	/* A line end more, for a comment on the last line. */
	len = (size_t)(file->end - file->text);
	file->text = xrealloc(file->text, len + 2);
	file->text[len++] = '\n';
	file->text[len] = '\0';
	file->at = file->text;
	file->end = file->text + len;

	while (!source.stopped && (source.depth > 0 || file->at < file->end)) {
		struct source_file *current = &source.files[source.depth];

		if (current->at < current->end)
			source_scan(&source, current);
		else
			source_close(&source.files[source.depth--]);
	}
	if (reader->faults == faults) {
		text = file->text;
		file->text = NULL;
	}
	for (unsigned i = 0; i <= source.depth; i++)
		source_close(&source.files[i]);
	return text;
}
