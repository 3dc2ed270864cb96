/* The bytes are messages of multicast DNS: one that says where it comes from, two of
 * length, then so many. Each is given to a responder and to a browser, which answer
 * with messages that can be read, and not without end. */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "fuzz.h"
#include "link/mdns_browser.h"
#include "link/mdns_responder.h"

#define FUZZ_MDNS_SENT_MAX 8 /* messages that one message may cause at once */

struct fuzz_mdns {
	struct mdns_responder *responder;
	struct mdns_browser *browser;
	unsigned sent;
	uint32_t random;
};

static void
fuzz_mdns_check(struct fuzz_mdns *fuzz, const uint8_t *bytes, size_t len)
{
	ldns_pkt *packet = mdns_packet_parse(bytes, len);

	FUZZ_REQUIRE(packet != NULL);
	FUZZ_REQUIRE(++fuzz->sent <= FUZZ_MDNS_SENT_MAX);
	ldns_pkt_free(packet);
}

static void
fuzz_mdns_send(
    void *arg, const uint8_t *bytes, size_t len, const struct sockaddr_in *to)
{
	(void)to;
	fuzz_mdns_check(arg, bytes, len);
}

static void
fuzz_mdns_ask(void *arg, const uint8_t *bytes, size_t len)
{
	FUZZ_REQUIRE(len <= 1472);
	fuzz_mdns_check(arg, bytes, len);
}

static void
fuzz_mdns_renamed(void *arg, const char *label)
{
	(void)arg;
	FUZZ_REQUIRE(strlen(label) <= MDNS_LABEL_MAX);
}

static uint32_t
fuzz_mdns_random(void *arg)
{
	struct fuzz_mdns *fuzz = arg;

	return fuzz->random = fuzz->random * 1664525u + 1013904223u;
}

static const struct mdns_responder_ops fuzz_mdns_ops = {
	.send = fuzz_mdns_send, .renamed = fuzz_mdns_renamed, .random = fuzz_mdns_random
};

static void
fuzz_mdns_message(struct fuzz_mdns *fuzz, unsigned from, const uint8_t *data,
    size_t len, int64_t now_ms)
{
	const struct mdns_peer peer = {
		.from = { .sin_family = AF_INET,
		    .sin_addr.s_addr = htonl(0xC0A80101 + from % 4),
		    .sin_port = htons((from & 0x10) != 0 ? 40000 : MDNS_PORT) },
		.is_near = (from & 0x20) == 0,
		.to_group = (from & 0x40) == 0,
	};
	struct mdns_found found[MDNS_FOUND_MAX];
	/* Of its own, so that reading behind its end is seen. */
	uint8_t *bytes = xmalloc(len == 0 ? 1 : len);

	memcpy(bytes, data, len);
	fuzz->sent = 0;
	mdns_responder_receive(fuzz->responder, bytes, len, &peer, now_ms);
	fuzz->sent = 0;
	mdns_browser_receive(fuzz->browser, bytes, len, now_ms);
	mdns_browser_tick(fuzz->browser, now_ms);
	FUZZ_REQUIRE(mdns_browser_next_ms(fuzz->browser) > now_ms);
	FUZZ_REQUIRE(mdns_browser_list(fuzz->browser, found) <= MDNS_FOUND_MAX);
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mdns_responder_options options = {
		.label = "zentri",
		.address.s_addr = htonl(0xC0A80107),
		.port = MDNS_PORT,
	};
	const struct mdns_offer offer = {
		.type = "_http._tcp", .port = 80, .texts = { "path=/" }
	};
	struct fuzz_mdns fuzz = { .random = 1 };
	int64_t now_ms = 1000;

	fuzz.responder = mdns_responder_new(&options, &fuzz_mdns_ops, &fuzz, now_ms);
	mdns_responder_offer(fuzz.responder, &offer, 1, now_ms);
	fuzz.browser = mdns_browser_new(NULL, fuzz_mdns_ask, &fuzz, now_ms);
	while (size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];
		unsigned from = data[0];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		now_ms += (from & 0x80) != 0 ? 2000 : 130;
		fuzz_mdns_message(&fuzz, from, data, len, now_ms);
		data += len;
		size -= len;
	}
	fuzz.sent = 0;
	mdns_responder_goodbye(fuzz.responder);
	mdns_responder_free(fuzz.responder);
	mdns_browser_free(fuzz.browser);
	return 0;
}
