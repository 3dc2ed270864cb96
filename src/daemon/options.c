#include "daemon/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_USAGE_STATUS 2

static const char options_usage[] =
    "usage: zentrid [-c FILE] [-s STATE_DIR] [-r RUNTIME_DIR] [-t] [-v] [-V]\n"
    "  -c FILE         configuration, /etc/zentrid.conf by default\n"
    "  -s STATE_DIR    what the modules save, /var/lib/zentrid by default\n"
    "  -r RUNTIME_DIR  serial ports and status.json, /run/zentrid by default\n"
    "  -t              check the configuration and end\n"
    "  -v              say more\n"
    "  -V              print the version and end\n";

/* systemd names the directories that it made; the first of a list is ours. */
static const char *
options_directory(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value != NULL && *value == '/' && strchr(value, ':') == NULL ? value
									    : otherwise;
}

int
options_read(struct options *options, int argc, char *argv[])
{
	int c;

	memset(options, 0, sizeof *options);
	options->configuration = "/etc/zentrid.conf";
	options->state_directory =
	    options_directory("STATE_DIRECTORY", "/var/lib/zentrid");
	options->runtime_directory =
	    options_directory("RUNTIME_DIRECTORY", "/run/zentrid");
	while ((c = getopt(argc, argv, "c:s:r:tvVh")) != -1) {
		switch (c) {
		case 'c':
			options->configuration = optarg;
			break;
		case 's':
			options->state_directory = optarg;
			break;
		case 'r':
			options->runtime_directory = optarg;
			break;
		case 't':
			options->check_only = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'V':
			puts("zentrid " ZENTRID_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(options_usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(options_usage, stderr);
			return OPTIONS_USAGE_STATUS;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "zentrid: %s: no arguments are taken\n%s", argv[optind],
		    options_usage);
		return OPTIONS_USAGE_STATUS;
	}
	return -1;
}
