# tcpsleuth: one Makefile, no recursion. `make help` lists the targets.
#
# Variables:  CC, CFLAGS, LDFLAGS as usual;  WERROR=1 turns warnings into errors;  V=1 shows the commands;
#             SETCAP=1 with install: whoever may run the program may capture with it;
#             VARIANT=asan builds with the sanitizers, beside the plain build, in build/asan/; VARIANT=short with limits of a sixtieth,
#             VARIANT=fuzz and coverage with limits that small inputs reach;
#             LAB=no with check: without the laboratory; LAB=brief: each of its cases over one family.

.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# The version stands in debian/changelog, and nowhere else.
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR := $(PREFIX)/bin
MANDIR := $(PREFIX)/share/man/man1
BASHDIR := $(PREFIX)/share/bash-completion/completions
ZSHDIR := $(PREFIX)/share/zsh/site-functions
# What a live capture needs; `make install SETCAP=1` gives it to the program (setcap: libcap2-bin).
CAPTURE_RIGHTS := cap_net_raw,cap_net_admin+ep
DOCDIR := $(PREFIX)/share/doc/tcpsleuth

VARIANT ?= plain
OBJ := build/$(VARIANT)
CFLAGS ?= -O2 -g
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# Debian packages: what building and what testing needs.
BUILD_PACKAGES := gcc libc6-dev make pkg-config libpcap-dev libnet1-dev libnids-dev libglib2.0-dev libhttp-parser-dev libgnutls28-dev \
	libldns-dev zlib1g-dev libzstd-dev libnl-3-dev libnl-route-3-dev libcurl4-gnutls-dev \
	libnl-genl-3-dev libnl-idiag-3-dev libkmod-dev libnftables-dev libip4tc-dev libip6tc-dev libjansson-dev libsystemd-dev \
	libnetfilter-conntrack-dev libseccomp-dev
TEST_PACKAGES := libcmocka-dev python3 python3-jsonschema gzip zstd \
	iproute2 procps strace nftables ethtool iptables tcpdump nginx dnsmasq-base openssl curl iputils-ping \
	bash-completion zsh man-db
# Not installed by `make deps`: only `make fuzz` needs them.
FUZZ_PACKAGES := clang libclang-rt-dev

PKGS := glib-2.0 libpcap gnutls zlib libzstd libnl-route-3.0 libnl-genl-3.0 libnl-idiag-3.0 libcurl libkmod libnftables libip4tc libip6tc jansson libsystemd \
	libnetfilter_conntrack libseccomp
WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wwrite-strings \
	-Wno-missing-field-initializers
ALL_CPPFLAGS := -I. -D_GNU_SOURCE -DTCPSLEUTH_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) $(if $(WERROR),-Werror) $(SANITIZE) $(CFLAGS) $(shell pkg-config --cflags $(PKGS))
ALL_LDFLAGS = $(SANITIZE) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS)) -lnids -lnet -lhttp_parser -lldns -lm

ifeq ($(VARIANT),asan)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS := -O1 -g
endif
ifneq ($(filter fuzz coverage,$(VARIANT)),)
ALL_CPPFLAGS += -DTIGHT_LIMITS
endif
ifeq ($(VARIANT),coverage)
SANITIZE := --coverage
CFLAGS := -O0 -g
endif
ifeq ($(VARIANT),short)
ALL_CPPFLAGS += -DSHORTENED_LIMITS
endif
ifeq ($(VARIANT),fuzz)
CC := clang
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS := -O1 -g
endif

FOLDERS := base capture dissect flow diagnose probe host compare report
LIB_SRC := $(sort $(foreach d,$(FOLDERS),$(wildcard $(d)/*.c)))
SRC_SRC := $(sort $(wildcard src/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TOOL_SRC := $(sort $(wildcard tests/tools/*.c))
LAB_SRC := $(sort $(wildcard tests/lab/*.c))
TORTURE_SRC := $(sort $(wildcard tests/torture/*.c))
BENCH_SRC := $(sort $(wildcard bench/*.c))
HEADERS := $(sort $(wildcard $(addsuffix /*.h,$(FOLDERS) src)))

LIB := $(OBJ)/libsleuth.a
BIN := $(OBJ)/tcpsleuth
UNITS := $(UNIT_SRC:%.c=$(OBJ)/%)
FUZZERS := $(FUZZ_SRC:%.c=$(OBJ)/%)
TOOLS := $(TOOL_SRC:%.c=$(OBJ)/%)
LABS := $(OBJ)/tests/lab/talker $(OBJ)/tests/lab/wire
TORTURE := $(OBJ)/tests/torture/torture
BENCHES := $(BENCH_SRC:%.c=$(OBJ)/%)
ALL_SRC := $(LIB_SRC) $(SRC_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(TOOL_SRC) $(LAB_SRC) $(TORTURE_SRC) $(BENCH_SRC) $(wildcard tests/fuzz/m*.c)

.PHONY: all
all: $(BIN) ## build the program: build/plain/tcpsleuth, and ./tcpsleuth that leads to it
	$(if $(filter plain,$(VARIANT)),$(Q)ln -sfn $(BIN) tcpsleuth)

.PHONY: run
run: all ## build, then judge the bundled capture
	./tcpsleuth -r tests/pcaps/wget-upc/input.pcap

.PHONY: check-build
check-build: all $(UNITS) $(FUZZERS) $(TOOLS) $(LABS) ## build every test

.PHONY: check
check: check-build ## build and run every test
	$(Q)CC='$(CC)' VARIANT=$(VARIANT) LAB=$(LAB) tests/run

.PHONY: check-asan
check-asan: ## the same with AddressSanitizer and UndefinedBehaviorSanitizer
	$(Q)$(MAKE) --no-print-directory VARIANT=asan check

.PHONY: everything
everything: $(BIN) $(UNITS) $(FUZZERS) $(TOOLS) $(LABS) $(TORTURE) $(BENCHES) ## build the program, the tests, the tools and the measurements

.PHONY: golden-update
golden-update: all $(TOOLS) ## rebuild captures of scripts, expected output of every case, samples and pictures of the papers (then read the diff)
	$(Q)VARIANT=$(VARIANT) tests/golden --captures $(CASES)
	$(Q)VARIANT=$(VARIANT) tests/papers --update
	$(Q)VARIANT=$(VARIANT) tests/golden --update $(CASES)

.PHONY: fuzz
fuzz: ## run every fuzz target with libFuzzer (clang, libclang-rt-dev), SECONDS_EACH=60 by default
	@command -v clang >/dev/null || { echo 'make fuzz: needs clang: apt-get install $(FUZZ_PACKAGES)' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzzers
	$(Q)tests/fuzz/run $(or $(SECONDS_EACH),60) $(FUZZERS:$(OBJ)/%=build/fuzz/%)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

.PHONY: coverage
coverage: ## line coverage of dissect/ and flow/ by the corpora and the golden captures (gcc, gcov); fails below 95 %
	$(Q)$(MAKE) --no-print-directory CC=gcc VARIANT=coverage fuzzers
	$(Q)tests/coverage $(COVERAGE)

.PHONY: torture
torture: ## whole, cut and damaged captures through the program with the sanitizers: CAPTURES=tests/pcaps DAMAGED=20000 SEED=1
	$(Q)$(MAKE) --no-print-directory VARIANT=asan build/asan/tests/torture/torture
	$(Q)build/asan/tests/torture/torture -n $(or $(DAMAGED),20000) -s $(or $(SEED),1) $(if $(CUTS),-c $(CUTS)) $(or $(CAPTURES),tests/pcaps)

.PHONY: bench
bench: all $(BENCHES) ## generate the large captures and measure against the peers (bench/RESULTS.md)
	$(Q)bench/run

.PHONY: bench-live
bench-live: all $(BENCHES) ## packets a second that a live capture takes without a drop, against peers (root; bench/RESULTS-live.md)
	$(Q)$(MAKE) --no-print-directory VARIANT=short all
	$(Q)bench/live

.PHONY: install
install: all ## install the program, its man page, completions and documents (PREFIX, DESTDIR); SETCAP=1: with the right to capture
	install -D -m 755 $(BIN) $(DESTDIR)$(BINDIR)/tcpsleuth
	$(if $(SETCAP),setcap $(CAPTURE_RIGHTS) $(DESTDIR)$(BINDIR)/tcpsleuth)
	install -D -m 644 docs/tcpsleuth.1 $(DESTDIR)$(MANDIR)/tcpsleuth.1
	install -D -m 644 completions/tcpsleuth.bash $(DESTDIR)$(BASHDIR)/tcpsleuth
	install -D -m 644 completions/_tcpsleuth $(DESTDIR)$(ZSHDIR)/_tcpsleuth
	install -d $(DESTDIR)$(DOCDIR)/docs
	install -m 644 README.md CHANGELOG.md SECURITY.md LICENSE $(DESTDIR)$(DOCDIR)
	install -m 644 $(wildcard docs/*.md docs/*.json docs/*.svg) $(DESTDIR)$(DOCDIR)/docs

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/tcpsleuth $(DESTDIR)$(MANDIR)/tcpsleuth.1 $(DESTDIR)$(BASHDIR)/tcpsleuth $(DESTDIR)$(ZSHDIR)/_tcpsleuth
	rm -rf $(DESTDIR)$(DOCDIR)

.PHONY: deb
deb: ## the Debian package, in build/deb/ (debhelper; what is missing is said)
	$(Q)debian/build

.PHONY: deb-check
deb-check: ## the same, judged by lintian, built twice to the same bytes, and run without the source
	$(Q)debian/build --check

.PHONY: deps
deps: ## install the Debian packages that are missing (root or sudo)
	$(Q)src/install-deps $(BUILD_PACKAGES) $(TEST_PACKAGES)

.PHONY: clean
clean: ## remove what was built
	rm -rf build tcpsleuth

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: check-headers
check-headers: ## compile every header alone
	$(Q)for h in $(HEADERS); do printf '#include "%s"\n' $$h | \
	  $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Werror -fsyntax-only -x c - || { echo "$$h does not compile alone"; exit 1; }; done

# `make deps run`, `make deps check`: the packages first, whatever -j says. The package lists above are all that deps needs, so it
# works before anything else is there.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# Flags changed: rebuild. The stamp file changes only when its text does.
FLAGS_NOW = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(OBJ)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" | cmp -s - $@ || printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" > $@
.PHONY: FORCE
FORCE:

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_SRC:%.c=$(OBJ)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BIN): $(SRC_SRC:%.c=$(OBJ)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Tests and their tools may reach everything of src/ but main.
SRC_REST := $(filter-out src/main.c,$(SRC_SRC))
$(UNITS): $(OBJ)/%: $(OBJ)/%.o $(SRC_REST:%.c=$(OBJ)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(shell pkg-config --libs cmocka)

# Without an engine a fuzz target replays the files it is given; with VARIANT=fuzz libFuzzer drives it.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),,$(OBJ)/tests/fuzz/main.o)
FUZZ_MUTATE := $(if $(filter fuzz,$(VARIANT)),$(OBJ)/tests/fuzz/mutate.o)
$(OBJ)/tests/fuzz/fuzz_frame $(OBJ)/tests/fuzz/fuzz_pipeline: $(FUZZ_MUTATE)
$(FUZZERS): $(OBJ)/%: $(OBJ)/%.o $(FUZZ_MAIN) $(SRC_REST:%.c=$(OBJ)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) -o $@ $^ $(LIBS)

$(TOOLS): $(OBJ)/%: $(OBJ)/%.o $(SRC_REST:%.c=$(OBJ)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCHES): $(OBJ)/%: $(OBJ)/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The whole program, linked in: its main by another name.
$(OBJ)/tests/torture/program.o: src/main.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Dmain=program_main $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP -c -o $@ $<
$(TORTURE): $(TORTURE_SRC:%.c=$(OBJ)/%.o) $(OBJ)/tests/torture/program.o $(SRC_REST:%.c=$(OBJ)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A program of the laboratory is all files that begin with its name.
$(OBJ)/tests/lab/wire: $(patsubst %.c,$(OBJ)/%.o,$(filter tests/lab/wire%,$(LAB_SRC)))
$(OBJ)/tests/lab/talker: $(patsubst %.c,$(OBJ)/%.o,$(filter tests/lab/talker%,$(LAB_SRC)))
$(LABS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: lab
lab: all $(LABS) ## build what the laboratory needs; then tests/lab/run, tests/lab/up (tests/lab/README.md)

.PHONY: exam
exam: lab $(filter %/mkpcap,$(TOOLS)) ## the fault bench as root: every labelled fault and look-alike, a score (EXAM='--table docs/exam.md' writes it down)
	$(Q)VARIANT=$(VARIANT) tests/lab/exam $(EXAM)

-include $(ALL_SRC:%.c=$(OBJ)/%.d)
