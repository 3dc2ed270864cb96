#ifndef STREAM_FILE_H
#define STREAM_FILE_H

#include "stream/stream.h"

struct flash;
struct flash_draft;
struct flash_file;

/* Streams on the module's files; type FILE. */

/* Reads a file from its start, also when it is deleted meanwhile. NULL and errno. */
struct stream *file_stream_open(const struct flash *, const struct flash_file *);

/* Takes what is written for a file to be, and makes it one with the last byte; created
 * is called then, from inside the write. A stream closed before leaves nothing. Takes
 * the draft. A write that fails for another reason than EMSGSIZE ends it. */
typedef void file_stream_created(void *arg);
struct stream *file_stream_create(
    struct flash_draft *, file_stream_created *created, void *arg);

#endif
