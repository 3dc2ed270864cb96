# zentrid: make, make run, make test, make bench, make install.
# O names the build tree; SAN=1 adds the sanitizers (tree build/san).

VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system

ifdef SAN
O ?= build/san
else
O ?= build
endif

CC ?= cc
OPT ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wvla -Wundef -Wcast-qual
HARDEN := -fPIE -fstack-protector-strong
ifdef SAN
HARDEN += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
OPT := -O1 -g
else
HARDEN += -D_FORTIFY_SOURCE=2
endif
ifdef WERROR
WARN += -Werror
endif

PACKAGES := libevent libevent_openssl openssl jansson libconfig libcurl zlib libmnl ldns \
	libgpiod
# Those that come without a file for pkg-config.
LIBRARIES := -lwslay
SOURCES := $(sort $(wildcard src/*/*.c src/*/*/*.c))
MAIN := src/daemon/main.c
OBJECTS := $(SOURCES:%.c=$(O)/%.o)
LIBRARY := $(O)/libzentrid.a
DAEMON := $(O)/zentrid

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -DZENTRID_VERSION='"$(VERSION)"' \
	$(WARN) $(OPT) $(HARDEN) $(PACKAGE_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie $(filter -fsanitize%,$(HARDEN)) -Wl,-z,relro,-z,now \
	-Wl,--as-needed $(LDFLAGS)

# V=1 shows the commands themselves.
Q := $(if $(V),,@)

.DELETE_ON_ERROR:
.PHONY: all run test check bench lint format docs fuzz install clean

all: $(DAEMON)

# The compiler flags of the libraries. Making this file first installs what is
# missing, so that `make run` works on a machine that has only make and git.
NO_BUILD_GOALS := clean format
ifneq ($(filter-out $(NO_BUILD_GOALS),$(or $(MAKECMDGOALS),all)),)
-include $(O)/packages.mk
endif

$(O)/packages.mk: Makefile .ci/deps
	@mkdir -p $(O)
	@.ci/deps build
	@printf 'PACKAGE_CFLAGS := %s\nPACKAGE_LIBS := %s\n' \
		"$$(pkg-config --cflags $(PACKAGES))" \
		"$$(pkg-config --libs $(PACKAGES)) $(LIBRARIES)" > $@

$(O)/%.o: %.c $(O)/packages.mk VERSION
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(filter-out $(O)/$(MAIN:.c=.o),$(OBJECTS))
	@rm -f $@
	@echo "  AR $@"
	$(Q)$(AR) rcs $@ $^

$(DAEMON): $(O)/$(MAIN:.c=.o) $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

-include $(OBJECTS:.o=.d)

include test/test.mk

# A module in the foreground, state and pty under the build tree.
run: $(DAEMON)
	@mkdir -p $(O)/run/state $(O)/run/runtime
	$(DAEMON) -v -c etc/zentrid.conf -s $(O)/run/state -r $(O)/run/runtime

# The generated pages; make lint says when they are stale.
docs: $(O)/test/tools/tables
	$< | docs/generate.py -

install: $(DAEMON)
	install -D -m 755 $(DAEMON) $(DESTDIR)$(PREFIX)/sbin/zentrid
	install -D -m 644 etc/zentrid.conf $(DESTDIR)$(SYSCONFDIR)/zentrid.conf
	install -d $(DESTDIR)$(UNITDIR)
	sed -e 's|@SBINDIR@|$(PREFIX)/sbin|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
		systemd/zentrid.service > $(DESTDIR)$(UNITDIR)/zentrid.service
	chmod 644 $(DESTDIR)$(UNITDIR)/zentrid.service
	install -D -m 644 systemd/zentrid-interfaces.conf \
		$(DESTDIR)$(PREFIX)/share/zentrid/zentrid-interfaces.conf
	install -D -m 644 systemd/zentrid-wifi.conf \
		$(DESTDIR)$(PREFIX)/share/zentrid/zentrid-wifi.conf
	install -D -m 644 docs/man/zentrid.8 $(DESTDIR)$(PREFIX)/share/man/man8/zentrid.8
	install -D -m 644 docs/man/zentrid.conf.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/zentrid.conf.5

clean:
	rm -rf build
