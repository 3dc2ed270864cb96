# The tests: make test [ONLY=pattern]. They run on the sanitized tree, build/san.

UNIT_SOURCES := $(sort $(wildcard test/unit/test_*.c))
UNIT_PROGRAMS := $(UNIT_SOURCES:%.c=$(O)/%)
TOOL_SOURCES := $(sort $(wildcard test/tools/*.c))
TOOL_PROGRAMS := $(TOOL_SOURCES:%.c=$(O)/%)
TEST_OBJECTS := $(UNIT_SOURCES:%.c=$(O)/%.o) $(TOOL_SOURCES:%.c=$(O)/%.o)

# What several unit tests share, linked into each.
UNIT_SHARED := $(filter-out $(UNIT_SOURCES),$(sort $(wildcard test/unit/*.c)))
UNIT_SHARED_OBJECTS := $(UNIT_SHARED:%.c=$(O)/%.o)

# Functions of the C library that unit tests can make fail; host_fixture.c has the
# __wrap_name() of each.
HOST_WRAPPED := open write fsync close rename mkdir unlink

# Where dnsmasq, dhclient, nginx, modprobe are; Debian's users do not have it in theirs.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: test-programs soak

# The closing line of test/run is the last that this prints.
test check:
	@.ci/deps build test
	@$(MAKE) --no-print-directory SAN=1 O=build/san test-programs
	@test/run build/san $(if $(ONLY),--only '$(ONLY)')

# What takes minutes: hundreds of megabytes, hours' worth of connections. On the tree
# that users run, without sanitizers.
soak: $(DAEMON)
	@.ci/deps build test
	@test/run $(O) --soak $(if $(ONLY),--only '$(ONLY)')

test-programs: $(DAEMON) $(UNIT_PROGRAMS) $(TOOL_PROGRAMS)
	@:

$(UNIT_PROGRAMS): $(O)/test/unit/%: $(O)/test/unit/%.o $(UNIT_SHARED_OBJECTS) $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(HOST_WRAPPED:%=-Wl,--wrap=%) -o $@ $^ -lcmocka $(PACKAGE_LIBS)

$(TOOL_PROGRAMS): $(O)/test/tools/%: $(O)/test/tools/%.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

-include $(TEST_OBJECTS:.o=.d) $(UNIT_SHARED_OBJECTS:.o=.d)
-include test/lint/lint.mk test/fuzz/fuzz.mk test/bench/bench.mk test/browser/browser.mk \
	test/vm/vm.mk
