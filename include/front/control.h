#ifndef FRONT_CONTROL_H
#define FRONT_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct air;
struct event_base;
struct module;

/* The control socket, for the owner of the modules and for test rigs: the world around
 * the modules. One command a line, one line of JSON for an answer. */

#define CONTROL_CLIENTS_MAX 32
#define CONTROL_LINE_MAX 1024 /* bytes of a command line */
#define CONTROL_WORDS_MAX 16 /* words in it */
#define CONTROL_OUTPUT_MAX                                                             \
	(256u * 1024) /* waiting output beyond which no command is taken and no change \
			 told */

/* What the socket is asked about. */
struct control_host {
	size_t (*module_count)(void *arg);
	struct module *(*module_at)(void *arg, size_t position);
	struct air *air; /* borrowed */
	void *arg;
};

struct control;

/* Listens on the path, with mode 0660; what lies there is replaced. NULL, and the cause
 * is logged. The host is borrowed. */
struct control *control_new(
    struct event_base *, const char *path, const struct control_host *);
void control_free(struct control *); /* removes the socket; NULL is allowed */

/* For the commands. */

struct control_client;

/* The words of a line; the first is the command. */
struct control_line {
	size_t count;
	const char *words[CONTROL_WORDS_MAX];
};

struct control_command {
	const char *name;
	const char *usage; /* the words behind the name */
	size_t min, max; /* how many words those are */
	/* The answer, an object; NULL after control_fail(). */
	json_t *(*run)(struct control_client *, const struct control_line *);
	const char *help; /* one sentence */
};

/* One table a family; each ends with .name NULL. */
extern const struct control_command control_air_commands[];
extern const struct control_command control_gpio_commands[];

/* Answers {"error": ...}; returns NULL. */
json_t *control_fail(struct control_client *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

const struct control_host *control_client_host(const struct control_client *);

/* The module of that name; NULL after control_fail(). */
struct module *control_module(struct control_client *, const char *name);

/* A word as a number from 0 to max. 0, or -1 after control_fail(), which says what it
 * was to be. */
int control_number(struct control_client *, const char *word, const char *what,
    uint32_t max, uint32_t *number);

/* Something that tells a client lines unasked until it goes. */
struct control_watch {
	void (*free)(struct control_watch *); /* the client has gone */
};

/* Takes the watch; one each: the earlier one is freed. */
void control_client_watch(struct control_client *, struct control_watch *);

/* Sends a line that was not asked for; takes the object. While more than
 * CONTROL_OUTPUT_MAX bytes wait it is dropped, and a line {"lost": n} follows when the
 * client has caught up. */
void control_tell(struct control_client *, json_t *);

#endif
