#include "device/passkey.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/xmalloc.h"

#define PASSKEY_ROUNDS 4096 /* IEEE 802.11, J.4.1 */
#define PASSKEY_PHRASE_MIN 8
#define PASSKEY_PHRASE_MAX 63
#define PASSKEY_WEP_40 5 /* octets */

struct passkey_entry {
	char ssid[RADIO_SSID_MAX + 1], phrase[PASSKEY_PHRASE_MAX + 1];
	uint8_t psk[PASSKEY_OCTETS];
	uint64_t used; /* by the cache's count; 0: empty */
};

struct passkey_cache {
	struct passkey_entry entries[PASSKEY_CACHE_MAX];
	uint64_t count; /* of uses */
};

struct passkey_cache *
passkey_cache_new(void)
{
	return xcalloc(1, sizeof(struct passkey_cache));
}

void
passkey_cache_free(struct passkey_cache *cache)
{
	if (cache == NULL)
		return;
	OPENSSL_cleanse(cache, sizeof *cache);
	free(cache);
}

/* The entry for the two, or else the one that was not used for longest. */
static struct passkey_entry *
passkey_find(struct passkey_cache *cache, const char *ssid, const char *phrase)
{
	struct passkey_entry *oldest = &cache->entries[0];

	for (unsigned i = 0; i < PASSKEY_CACHE_MAX; i++) {
		struct passkey_entry *entry = &cache->entries[i];

		if (entry->used != 0 && strcmp(entry->ssid, ssid) == 0 &&
		    strcmp(entry->phrase, phrase) == 0)
			return entry;
		if (entry->used < oldest->used)
			oldest = entry;
	}
	oldest->used = 0;
	return oldest;
}

static unsigned
passkey_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	return (unsigned)((digit | 0x20) - 'a') + 10;
}

/* Twice as many hexadecimal digits as octets. */
static int
passkey_read_digits(const char *digits, uint8_t *octets, unsigned count)
{
	if (strspn(digits, "0123456789abcdefABCDEF") != (size_t)count * 2 ||
	    digits[(size_t)count * 2] != '\0')
		return -1;
	for (unsigned i = 0; i < count; i++)
		octets[i] = (uint8_t)(passkey_digit(digits[(size_t)i * 2]) << 4 |
				      passkey_digit(digits[(size_t)i * 2 + 1]));
	return 0;
}

static bool
passkey_is_phrase(const char *passkey)
{
	size_t len = strlen(passkey);

	return len >= PASSKEY_PHRASE_MIN && len <= PASSKEY_PHRASE_MAX;
}

bool
passkey_suits(enum radio_security security, const char *passkey)
{
	uint8_t key[PASSKEY_OCTETS];

	if (security == RADIO_OPEN)
		return passkey[0] == '\0';
	if (security == RADIO_WEP)
		return passkey_wep(passkey, key) != 0;
	return passkey_is_phrase(passkey) ||
	       passkey_read_digits(passkey, key, PASSKEY_OCTETS) == 0;
}

int
passkey_psk(struct passkey_cache *cache, const char *ssid, const char *passkey,
    uint8_t psk[PASSKEY_OCTETS])
{
	size_t len = strlen(passkey), ssid_len = strlen(ssid);
	struct passkey_entry *entry;

	if (!passkey_is_phrase(passkey))
		return passkey_read_digits(passkey, psk, PASSKEY_OCTETS);
	if (ssid_len > RADIO_SSID_MAX)
		return -1;
	entry = passkey_find(cache, ssid, passkey);
	if (entry->used == 0) {
		if (PKCS5_PBKDF2_HMAC(passkey, (int)len, (const unsigned char *)ssid,
			(int)ssid_len, PASSKEY_ROUNDS, EVP_sha1(), PASSKEY_OCTETS,
			entry->psk) != 1)
			return -1;
		memcpy(entry->ssid, ssid, ssid_len + 1);
		memcpy(entry->phrase, passkey, len + 1);
	}
	entry->used = ++cache->count;
	memcpy(psk, entry->psk, PASSKEY_OCTETS);
	return 0;
}

unsigned
passkey_wep(const char *passkey, uint8_t key[PASSKEY_WEP_MAX])
{
	size_t len = strlen(passkey);

	if (len == PASSKEY_WEP_40 || len == PASSKEY_WEP_MAX) {
		memcpy(key, passkey, len);
		return (unsigned)len;
	}
	if ((len == (size_t)PASSKEY_WEP_40 * 2 || len == (size_t)PASSKEY_WEP_MAX * 2) &&
	    passkey_read_digits(passkey, key, (unsigned)len / 2) == 0)
		return (unsigned)len / 2;
	return 0;
}

bool
passkey_equal(const uint8_t *one, const uint8_t *other, unsigned octets)
{
	return CRYPTO_memcmp(one, other, octets) == 0;
}
