/* What the programs of `make bench` share: the ends of a line, and their times. */

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_LINE_MAX 4096 /* bytes of a line or of a reply */

int64_t bench_now_ns(void);

/* Sorts the times and prints "P50 P99", in nanoseconds. */
void bench_print_times(int64_t *times_ns, size_t count);

/* A new pty: the master, and in *slave a raw slave to keep open, or the master would
 * hang up when its user goes. -1: errno. */
int bench_pty_new(int *slave);

/* The user's end of a pty, made raw. -1: errno. */
int bench_pty_open(const char *path);

/* A listener on a free loopback port; a connection to one, without Nagle's delay. -1:
 * errno. */
int bench_tcp_listen(unsigned *port);
int bench_tcp_connect(const char *port);

/* Without Nagle's delay, as every side of a comparison has it. */
int bench_tcp_no_delay(int fd);

/* The pty at a path, or the connection to "tcp:PORT". -1: errno. */
int bench_open(const char *where);

/* All of it, blocking. False at an error or at the end of the stream. */
bool bench_read(int fd, char *bytes, size_t len);
bool bench_write(int fd, const char *bytes, size_t len);

/* At most BENCH_LINE_MAX bytes of a file. 0: it is empty, or could not be read. */
size_t bench_load(const char *path, char *bytes);

#endif
