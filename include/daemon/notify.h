#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Tells the service manager behind NOTIFY_SOCKET how things stand: "READY=1"; see
 * sd_notify(3). Does nothing when there is none. */
void notify_send(const char *state);

#endif
