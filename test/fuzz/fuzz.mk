# make fuzz [FUZZ_SECONDS=60] [FUZZ_TARGETS="nvm args"]: each target for so long, from the
# seeds and the former findings in test/corpus; a new finding is written there.

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
FUZZ_TREE := build/fuzz
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(O)/test/fuzz/fuzz_%)
FUZZ_HARDEN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

.PHONY: fuzz-programs
.SECONDARY: $(FUZZ_PROGRAMS:=.o) $(O)/test/fuzz/fuzz.o

fuzz:
	@.ci/deps clang
	@$(MAKE) --no-print-directory O=$(FUZZ_TREE) SAN= CC=clang OPT='-O1 -g' \
		HARDEN='$(FUZZ_HARDEN)' fuzz-programs
	@printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I TARGET \
		test/fuzz/run $(FUZZ_TREE) TARGET $(FUZZ_SECONDS)

fuzz-programs: $(FUZZ_PROGRAMS)

$(O)/test/fuzz/fuzz_%: $(O)/test/fuzz/fuzz_%.o $(O)/test/fuzz/fuzz.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PACKAGE_LIBS)

-include $(FUZZ_PROGRAMS:=.d) $(O)/test/fuzz/fuzz.d
