# make bench: how fast and how small the daemon is, beside bare programs that answer the
# same bytes. BENCH_ROUNDS raises the number of rounds.

BENCH_TOOLS := $(patsubst test/bench/%.c,$(O)/test/bench/%,$(wildcard test/bench/*.c))

bench: $(DAEMON) $(BENCH_TOOLS)
ifdef SAN
	$(error make bench measures the plain build; leave SAN away)
endif
	@.ci/deps build bench
	test/bench/bench.py $(O)

$(O)/test/bench/%: test/bench/%.c $(O)/packages.mk
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(PACKAGE_LIBS)

-include $(BENCH_TOOLS:=.d)
