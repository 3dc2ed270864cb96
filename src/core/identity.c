#include "core/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/mac.h"
#include "base/xmalloc.h"

#define IDENTITY_MACHINE_MAX 256 /* bytes of /etc/machine-id worth reading */

static void
identity_digest(
    const struct module *module, const char *use, unsigned char digest[EVP_MAX_MD_SIZE])
{
	size_t len = 0;
	char *machine = file_read("/etc/machine-id", IDENTITY_MACHINE_MAX, &len);
	char *seed = xasprintf(
	    "%s\n%s\n%s", use, machine == NULL ? "" : machine, module->own->name);

	memset(digest, 0, EVP_MAX_MD_SIZE);
	EVP_Digest(seed, strlen(seed), digest, NULL, EVP_sha1(), NULL);
	free(seed);
	free(machine);
}

/* Reference: serial and file notes, 7.4: the vendor's prefix 4C:55:CC, and a UUID of 40
 * hexadecimal digits. */
void
module_identify(struct module *module)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	uint8_t octets[MAC_OCTETS] = { 0x4C, 0x55, 0xCC };

	if (module->own->mac == NULL || mac_parse(module->own->mac, octets) == -1) {
		identity_digest(module, "mac", digest);
		memcpy(octets + 3, digest, 3);
	}
	mac_format(module->mac, octets);
	identity_digest(module, "uuid", digest);
	for (size_t i = 0; i < (sizeof module->uuid - 1) / 2; i++)
		snprintf(module->uuid + 2 * i, 3, "%02X", digest[i]);
}
