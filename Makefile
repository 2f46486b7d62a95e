# ctrcompose: `make` builds, `make test` runs everything, `make help` lists the rest.
BUILD   ?= build
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=
CLANG   ?= clang
FUZZ_S  ?= 10
FAULT_ROUNDS ?= 200
VM_TESTS ?= $(sort $(wildcard tests/integration/*.bats))
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings \
           -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-qual \
           -Wimplicit-fallthrough -Wnull-dereference $(if $(WERROR),-Werror)
HARDEN  := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAG := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
Q       := $(if $(V),,@)

PKGS    := yaml-0.1 libnl-3.0 libnl-route-3.0 libcjson libseccomp libcap
PC_CF   := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PC_LIB  := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
VERSION := $(shell cat VERSION)
CPP     := -std=gnu11 -D_GNU_SOURCE -DCTRCOMPOSE_VERSION='"$(VERSION)"' -Iinclude $(PC_CF)
ALL_CF   = $(CPP) $(WARN) $(HARDEN) $(SANFLAG) -MMD -MP $(CFLAGS)
LIBS    := -Wl,--as-needed $(PC_LIB) -ldl -lm

OBJ       = $(patsubst %.c,$(BUILD)/%.o,$(1))
PKG_SRC  := $(sort $(wildcard pkg/*/*.c))
CMD_SRC  := $(sort $(wildcard cmd/ctrcompose/*.c cmd/ctrcompose/*/*.c))
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/*_test.c)))
KERNEL   := $(patsubst tests/kernel/%.c,$(BUILD)/tests/kernel/%,$(sort $(wildcard tests/kernel/*_test.c)))
FUZZERS  := $(patsubst tests/fuzz/%_fuzz.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
PROBE    := $(BUILD)/tests/probe
RESOLVE  := $(BUILD)/tests/resolve-musl
LIB      := $(BUILD)/libctrcompose.a
LIB_OBJ  := $(call OBJ,$(PKG_SRC))

.DEFAULT_GOAL := all
all: $(BUILD)/ctrcompose ## build build/ctrcompose (default)

-include $(sort $(wildcard pkg/*/*.mk))

$(BUILD)/cmd/%.o $(BUILD)/tests/unit/cmd_%.o $(BUILD)/fuzz/obj/cmd/%.o $(BUILD)/fuzz/obj/tests/fuzz/cmd_%.o: CPP += -Icmd/ctrcompose

$(BUILD)/ctrcompose: $(call OBJ,$(CMD_SRC)) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) $(SANFLAG) $(LDFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CF) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/tests/cmd_%: $(BUILD)/tests/unit/cmd_%.o $(filter-out %/main.o,$(call OBJ,$(CMD_SRC))) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) $(SANFLAG) $(LDFLAGS) -pie -o $@ $^ $(shell pkg-config --libs check) $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) $(SANFLAG) $(LDFLAGS) -pie -o $@ $^ $(shell pkg-config --libs check) $(LIBS)

$(BUILD)/tests/kernel/%: $(BUILD)/tests/kernel/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(SANFLAG) $(LDFLAGS) -pie -o $@ $^ $(shell pkg-config --libs check) $(LIBS)

# One object per source under clang's sanitizers, shared by all fuzz targets.
$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) -g -O1 $(CPP) -MMD -MP -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -c -o $@ $<

$(BUILD)/fuzz/cmd_%: $(BUILD)/fuzz/obj/tests/fuzz/cmd_%_fuzz.o $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(filter-out %/main.c,$(CMD_SRC)) $(PKG_SRC)) $(FUZZ_EXTRA)
	@echo "  FUZZ  $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

$(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%_fuzz.o $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(PKG_SRC)) $(FUZZ_EXTRA)
	@echo "  FUZZ  $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

# The umbrella header and the library as a program of someone else has them: no private headers, no flags of ours.
$(BUILD)/embed: examples/embed/embed.c $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(if $(WERROR),-Werror) $(SANFLAG) -Iinclude $(CFLAGS) -o $@ $< $(LIB) $(LIBS)

deps: ## install the Debian packages that third_party/debian.txt lists
	third_party/install.sh

demo: ## bring up a real example stack, show it answering, take it down
	@third_party/install.sh --if-missing
	@$(MAKE) --no-print-directory all
	examples/demo/demo.sh $(BUILD)/ctrcompose

test: ## everything; ends in "N passed, N failed"
	@third_party/install.sh --if-missing
	@$(MAKE) --no-print-directory all unit-tests $(BUILD)/embed
	tests/run.sh $(BUILD)

unit-tests: $(UNIT) $(KERNEL) $(PROBE) $(RESOLVE)

test-faults: all ## crashes, races, broken records: many rounds (FAULT_ROUNDS, 200)
	FAULT_ROUNDS=$(FAULT_ROUNDS) BATS_TIMEOUT=36000 tests/run.sh --faults $(BUILD)

test-vm: all $(PROBE) $(RESOLVE) $(BUILD)/embed ## the integration tests in a virtual machine: VM_RUN=COMMAND runs its arguments in one
	@[ -n "$(VM_RUN)" ] || { echo "test-vm: set VM_RUN to what runs a command in a virtual machine; see docs/TESTING.md"; exit 2; }
	$(VM_RUN) tests/vm/inside.sh $(BUILD)/ctrcompose $(VM_TESTS)

# Runs inside of containers of the tests, whatever image they have.
$(PROBE): tests/probe/probe.c
	@mkdir -p $(@D)
	@echo "  PROBE $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -static -o $@ $<

$(RESOLVE): tests/probe/resolve.c
	@mkdir -p $(@D)
	@echo "  PROBE $@"
	$(Q)musl-gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -static -o $@ $<

check: ## what every change passes: lint, both compilers without warnings, the embedding example, unit tests under the sanitizers
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory BUILD=build/gcc WERROR=1 CC=gcc all
	$(MAKE) --no-print-directory BUILD=build/clang WERROR=1 CC=$(CLANG) all
	$(MAKE) --no-print-directory BUILD=build/gcc WERROR=1 CC=gcc build/gcc/embed
	build/gcc/embed examples/demo/compose.yaml
	$(MAKE) --no-print-directory asan

asan: ## unit tests under ASan and UBSan
	$(MAKE) --no-print-directory BUILD=build/asan SAN=address,undefined unit-tests
	tests/run.sh --unit build/asan

fuzz: $(FUZZERS) ## each fuzz target for FUZZ_S seconds (10)
	tests/tools/fuzz.sh $(BUILD)/fuzz $(FUZZ_S)

bench: all ## speed beside the kernel's own floor
	tests/bench/bench.sh $(BUILD)/ctrcompose

format: ## clang-format all sources in place
	clang-format -i $(shell git ls-files '*.[ch]')

lint: ## format, floors, clang-tidy, cppcheck
	clang-format --dry-run -Werror $(shell git ls-files '*.[ch]')
	tests/tools/floors.sh
	printf '%s\n' $(PKG_SRC) $(CMD_SRC) | xargs -P $$(nproc) -I{} clang-tidy --quiet {} -- $(CPP) -Icmd/ctrcompose
	cppcheck --quiet -j $$(nproc) --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr -D_GNU_SOURCE -Iinclude -Icmd/ctrcompose pkg cmd

docs: all ## the pages that are made from tables: man page, supported keys
	tests/tools/man.py $(BUILD)/ctrcompose >docs/man/ctrcompose.1.scd
	$(BUILD)/ctrcompose config --support-page >docs/COMPOSE_SUPPORT.md

man: all
	@rm -rf $(BUILD)/man && mkdir -p $(BUILD)/man
	scdoc <docs/man/ctrcompose.1.scd >$(BUILD)/man/ctrcompose.1
	tests/tools/man.py $(BUILD)/ctrcompose $(BUILD)/man
	cd $(BUILD)/man && for p in *.1.scd; do scdoc <$$p >$${p%.scd} && rm $$p || exit 1; done

install: all man ## install below DESTDIR and PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/ctrcompose $(DESTDIR)$(PREFIX)/bin/ctrcompose
	install -D -m 644 $(LIB) $(DESTDIR)$(PREFIX)/lib/libctrcompose.a
	for h in include/ctrcompose/*.h; do install -D -m 644 $$h $(DESTDIR)$(PREFIX)/$$h; done
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@REQUIRES@|$(PKGS)|' examples/embed/ctrcompose.pc.in | \
		install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/pkgconfig/ctrcompose.pc
	sed -e 's|@PREFIX@|$(PREFIX)|' examples/systemd/ctrcompose@.service.in | \
		install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/ctrcompose@.service
	for m in $(BUILD)/man/*.1; do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man1/$${m##*/}; done
	$(MAKE) --no-print-directory install-completions

BIN = $(BUILD)/ctrcompose
install-completions:
	$(BIN) completion bash | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ctrcompose
	$(BIN) completion zsh | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_ctrcompose
	$(BIN) completion fish | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ctrcompose.fish

clean: ## remove what was built
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all deps demo test test-faults test-vm unit-tests check asan fuzz bench format lint docs man install install-completions clean help
.SECONDARY:
