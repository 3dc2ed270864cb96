#ifndef SERVICE_IOCONN_H
#define SERVICE_IOCONN_H

struct module;

/* The connection of ioconn.*: one that a pin opens and closes. */
void ioconn_attach(struct module *);

#endif
