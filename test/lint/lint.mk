# make lint: all that can be said about the project without running it.
# make format: brings the C files into the form that make lint wants.

CLANG_FORMAT ?= clang-format-14
CLANG_TIDY ?= clang-tidy-14

# The C files of the project, new ones among them; looked up only when used.
LINT_C = $(sort $(wildcard \
	$(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')))
LINT_UNITS = $(filter %.c,$(LINT_C))
LINT_PARTS := lint-format lint-layers lint-texts lint-cppcheck lint-tidy

ifneq ($(wildcard test/lint/tables.py),)
LINT_PARTS += lint-tables
endif

.PHONY: lint-tools $(LINT_PARTS)

lint: $(LINT_PARTS)

$(LINT_PARTS): lint-tools

lint-tools:
	@.ci/deps lint

lint-format:
	@echo "  LINT format"
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(LINT_C)

lint-layers:
	@echo "  LINT layers"
	$(Q)test/lint/layers.py $(CC) $(ALL_CFLAGS)

lint-texts:
	@echo "  LINT texts"
	$(Q)test/lint/texts.py

lint-cppcheck:
	@echo "  LINT cppcheck"
	$(Q)cppcheck --quiet --error-exitcode=1 -j 2 --inline-suppr \
		--std=c11 --library=posix --library=bsd --library=test/lint/macros.cfg \
		--enable=warning,performance,portability -Iinclude -D_GNU_SOURCE \
		-DZENTRID_VERSION='"$(VERSION)"' $(LINT_UNITS)

# Findings go to stdout; stderr counts those in system headers, which are left out.
lint-tidy:
	@echo "  LINT tidy"
	@mkdir -p $(O)/lint
	$(Q)printf '%s\n' $(LINT_UNITS) | xargs -P 2 -I FILE $(CLANG_TIDY) --quiet FILE -- \
		$(ALL_CFLAGS) 2>$(O)/lint/tidy.log || \
		{ grep -v 'warnings\? generated' $(O)/lint/tidy.log; exit 1; }

lint-tables: $(O)/test/tools/tables
	@echo "  LINT tables"
	$(Q)test/lint/tables.py $<

format:
	$(CLANG_FORMAT) -i $(LINT_C)
