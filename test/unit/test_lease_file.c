#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>

#include "base/file.h"
#include "host_fixture.h"
#include "link/lease_file.h"

struct place {
	char directory[64], path[96];
};

static int
setup(void **state)
{
	static struct place place;

	host_directory_make(place.directory);
	snprintf(place.path, sizeof place.path, "%s/lease.json", place.directory);
	*state = &place;
	return 0;
}

static int
teardown(void **state)
{
	host_directory_remove(((struct place *)*state)->directory);
	return 0;
}

static struct in_addr
at(const char *text)
{
	return (struct in_addr){ inet_addr(text) };
}

/* With as much in it as there can be, and a name that is no text. */
static struct lease_note
full_note(void)
{
	struct lease_note note = { .bssid = { 0xB6, 1, 2, 3, 4, 5 },
		.ends_s = 1900000000 };

	memset(note.ssid, 0xFE, RADIO_SSID_MAX);
	note.lease.address = at("192.168.60.10");
	note.lease.netmask = at("255.255.255.0");
	note.lease.router = at("192.168.60.1");
	note.lease.server = at("192.168.60.2");
	note.lease.name_server_count = DHCP_NAME_SERVERS_MAX;
	for (unsigned i = 0; i < DHCP_NAME_SERVERS_MAX; i++)
		note.lease.name_servers[i].s_addr = htonl(0xC0A83C00 + i);
	return note;
}

static void
test_there_and_back(void **state)
{
	const struct place *place = *state;
	struct lease_note note = full_note(), found;

	errno = 0;
	assert_int_equal(lease_file_read(place->path, &found), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(lease_file_remove(place->path), 0);
	assert_int_equal(lease_file_write(place->path, &note), 0);
	assert_int_equal(lease_file_read(place->path, &found), 0);
	assert_memory_equal(&found, &note, sizeof note);
	memset(&note, 0, sizeof note);
	note.lease.address = at("10.0.0.1");
	note.ends_s = LEASE_NEVER_ENDS;
	assert_int_equal(lease_file_write(place->path, &note), 0);
	assert_int_equal(lease_file_read(place->path, &found), 0);
	assert_memory_equal(&found, &note, sizeof note);
	assert_int_equal(lease_file_remove(place->path), 0);
	assert_int_equal(access(place->path, F_OK), -1);
	assert_int_equal(
	    lease_file_write("/nowhere/that/there/is/lease.json", &note), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_damage(void **state)
{
	/* What stands in the file of a note, and what replaces it. */
	static const char *const changes[][2] = { { "\"address\": \"192.168.60.10\"",
						      "\"address\": \"0.0.0.0\"" },
		{ "192.168.60.10", "192.168.60.256" }, { "255.255.255.0", "" },
		{ "\"router\"", "\"rooter\"" }, { "192.168.60.2", "server" },
		{ "B6:01:02:03:04:05", "B6:01:02:03:04" }, { "/v7+", "/v7" },
		{ "/v7+", "/v7+/v7+" }, { "1900000000", "\"soon\"" },
		{ "\"192.168.60.3\"", "7" },
		{ "\"192.168.60.3\"", "\"192.168.60.3\", \"192.168.60.4\"" },
		{ "{", "[" }, { "}", "" } };
	const struct place *place = *state;
	const struct lease_note note = full_note();
	struct lease_note found;
	char text[LEASE_FILE_MAX + 2];
	size_t len;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		char *whole, *where;

		assert_int_equal(lease_file_write(place->path, &note), 0);
		whole = file_read(place->path, LEASE_FILE_MAX, &len);
		assert_non_null(whole);
		where = strstr(whole, changes[i][0]);
		assert_non_null(where);
		len = (size_t)snprintf(text, sizeof text, "%.*s%s%s",
		    (int)(where - whole), whole, changes[i][1],
		    where + strlen(changes[i][0]));
		free(whole);
		assert_int_equal(file_replace(place->path, text, len, 0600, false), 0);
		errno = 0;
		assert_int_equal(lease_file_read(place->path, &found), -1);
		assert_int_equal(errno, EINVAL);
	}
	memset(text, ' ', sizeof text);
	assert_int_equal(
	    file_replace(place->path, text, LEASE_FILE_MAX + 1, 0600, false), 0);
	assert_int_equal(lease_file_read(place->path, &found), -1);
	assert_int_equal(errno, EFBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
