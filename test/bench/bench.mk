# make bench: how fast and how small the daemon is, beside bare programs that answer the
# same bytes, and beside socat, ser2net, nginx and dnsmasq. make bench-stream: the rows of
# STREAM mode alone. BENCH_ROUNDS raises the number of rounds.

.PHONY: bench-programs bench-stream

# What the programs share, linked into each.
BENCH_SHARED := $(O)/test/bench/bench.o
BENCH_TOOLS := $(filter-out $(BENCH_SHARED:.o=), \
	$(patsubst test/bench/%.c,$(O)/test/bench/%,$(wildcard test/bench/*.c)))

bench: bench-programs
	@.ci/deps build bench bench-stream
	@missed=0; for part in bench stream web services; do \
		test/bench/$$part.py $(O) || missed=1; done; exit $$missed

bench-stream: bench-programs
	@.ci/deps build bench-stream
	test/bench/stream.py $(O)

bench-programs: $(DAEMON) $(BENCH_TOOLS)
ifdef SAN
	$(error make bench measures the plain build; leave SAN away)
endif

$(BENCH_TOOLS): $(O)/test/bench/%: test/bench/%.c $(BENCH_SHARED) $(O)/packages.mk
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(BENCH_SHARED) \
		$(PACKAGE_LIBS)

-include $(BENCH_TOOLS:=.d) $(BENCH_SHARED:.o=.d)
