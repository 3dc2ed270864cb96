# make bench: how fast and how small the daemon is, beside bare programs that answer the
# same bytes, and socat and ser2net. BENCH_ROUNDS raises the number of rounds.

# What the programs share, linked into each.
BENCH_SHARED := $(O)/test/bench/bench.o
BENCH_TOOLS := $(filter-out $(BENCH_SHARED:.o=), \
	$(patsubst test/bench/%.c,$(O)/test/bench/%,$(wildcard test/bench/*.c)))

bench: $(DAEMON) $(BENCH_TOOLS)
ifdef SAN
	$(error make bench measures the plain build; leave SAN away)
endif
	@.ci/deps build bench
	test/bench/bench.py $(O)

$(BENCH_TOOLS): $(O)/test/bench/%: test/bench/%.c $(BENCH_SHARED) $(O)/packages.mk
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(BENCH_SHARED) \
		$(PACKAGE_LIBS)

-include $(BENCH_TOOLS:=.d) $(BENCH_SHARED:.o=.d)
