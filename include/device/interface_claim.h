#ifndef DEVICE_INTERFACE_CLAIM_H
#define DEVICE_INTERFACE_CLAIM_H

/* Says that this process looks after a network interface of this host: two that set its
 * addresses would undo each other's. Holds until the descriptor is closed, or the
 * process ends, however it does. The descriptor, or -1 and errno: EADDRINUSE: another
 * one has claimed it. */
int interface_claim(const char *name);

#endif
