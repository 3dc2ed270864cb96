#ifndef SERVICE_SETUP_H
#define SERVICE_SETUP_H

struct module;

/* What starts setup without a host: the pin of setup.gpio.control_gpio, held at reset,
 * and setup.auto.cmd. */
void setup_attach(struct module *);

#endif
