#ifndef DEVICE_PASSKEY_H
#define DEVICE_PASSKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "device/radio.h"

/* From the passphrases of Wi-Fi networks to their keys. */

#define PASSKEY_OCTETS 32 /* of a PSK. IEEE 802.11, J.4 */
#define PASSKEY_WEP_MAX 13 /* octets of a WEP key of 104 bits; 40 bits are 5 */
#define PASSKEY_CACHE_MAX 64 /* keys that are kept, since each takes milliseconds */

struct passkey_cache;

struct passkey_cache *passkey_cache_new(void);
void passkey_cache_free(struct passkey_cache *); /* NULL is allowed */

/* Whether a network of that security can have the passkey: none at all when it is open.
 */
bool passkey_suits(enum radio_security, const char *passkey);

/* The PSK: PBKDF2 of a passphrase of 8 to 63 bytes with HMAC-SHA1, the SSID and 4096
 * rounds, or what 64 hexadecimal digits say. 0, or -1 when the passkey is neither. */
int passkey_psk(struct passkey_cache *, const char *ssid, const char *passkey,
    uint8_t psk[PASSKEY_OCTETS]);

/* The WEP key of 5 or 13 characters, or 10 or 26 hexadecimal digits: its length, or 0
 * when the passkey is none. */
unsigned passkey_wep(const char *passkey, uint8_t key[PASSKEY_WEP_MAX]);

/* Whether two keys are the same, in constant time. */
bool passkey_equal(const uint8_t *one, const uint8_t *other, unsigned octets);

#endif
