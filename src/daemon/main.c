#include <stdlib.h>

#include "base/log.h"
#include "daemon/host.h"
#include "daemon/options.h"

int
main(int argc, char *argv[])
{
	struct options options;
	struct host *host;
	int status = options_read(&options, argc, argv);

	if (status != -1)
		return status;
	log_configure(log_format_of_stderr(), options.verbose ? LOG_INFO : LOG_NOTICE);
	if (options.check_only)
		return host_check(&options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	host = host_new(&options);
	if (host == NULL)
		return EXIT_FAILURE;
	host_run(host);
	host_free(host);
	return EXIT_SUCCESS;
}
