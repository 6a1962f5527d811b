# make            builds bin/swrunc
# make quickstart runs a container and shows what it looks like from inside
# make test       runs all tests but those through the container engines
# make test-engines installs Docker, containerd, Podman, Buildah and lxcfs, makes a root file system with
#                  those of Debian 13, and runs those
# make test-vm    runs those about the kernel in virtual machines
# make sweep      looks for holes: everything is killed, fails and races in turn
# Every goal does its own set-up. CONTRIBUTING.md says when to use which.

SWIFT ?= swift
STRIP ?= -s
PREFIX ?= /usr/local
DESTDIR ?=
ARGUMENTS ?=
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
# Debian keeps the directory for packages apart from that for what a person installs.
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FISH_COMPLETIONS ?= $(PREFIX)/share/fish/vendor_completions.d

# The two modules that Swift imports by itself would add a regular expression parser of 1 MB and a
# concurrency runtime that nothing here uses.
LEAN = -Xswiftc -Xfrontend -Xswiftc -disable-implicit-string-processing-module-import \
	-Xswiftc -Xfrontend -Xswiftc -disable-implicit-concurrency-module-import
# Generic types are named by code instead of by text that the Swift runtime has to read at start, and
# made at build time where that can be: a quarter of the instructions of planning a container.
TYPES = -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors \
	-Xswiftc -Xfrontend -Xswiftc -prespecialize-generic-metadata
# The functions that starting a container needs lie side by side: a third of the memory and a fifth of
# the time of a start otherwise go into mapping pages that hold little else. See scripts/link-order.
ORDER = -Xswiftc -Xfrontend -Xswiftc -function-sections \
	-Xlinker --symbol-ordering-file=$(CURDIR)/scripts/link-order/order.txt \
	-Xlinker --no-warn-symbol-ordering -Xlinker --script=$(CURDIR)/scripts/link-order/sections.ld
# Where the executable begins: see Sources/CSys/entry.
ENTRY = $(if $(filter x86_64 aarch64,$(shell uname -m)),-Xlinker --entry=swrunc_entry)
RELEASE = -c release -Xswiftc -static-executable -Xswiftc -use-ld=lld \
	-Xlinker --gc-sections -Xlinker $(STRIP) $(LEAN) $(TYPES) $(ORDER) $(ENTRY)
SWIFT_FILES = Package.swift Sources Tests conformance

# What `swrunc --version` shows; Package.swift gives it to one small C file.
export SWRUNC_COMMIT ?= $(shell git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null)
export SWIFT

.PHONY: build install man deb check-deb fmt check lint rules test test-engines test-vm bench sweep quickstart \
	clean setup
.DEFAULT_GOAL := build

build: setup
	$(SWIFT) build $(RELEASE) --product swrunc
	install -D -m 755 .build/release/swrunc bin/swrunc

# Builds nothing, so that `sudo make install` leaves no files of root's behind.
install:
	@test -x bin/swrunc || { echo "there is no bin/swrunc yet: make build" >&2; exit 1; }
	install -D -m 755 bin/swrunc "$(DESTDIR)$(PREFIX)/bin/swrunc"
	install -d "$(DESTDIR)$(PREFIX)/share/man/man8" "$(DESTDIR)$(BASH_COMPLETIONS)" \
		"$(DESTDIR)$(ZSH_COMPLETIONS)" "$(DESTDIR)$(FISH_COMPLETIONS)"
	bin/swrunc __man "$(DESTDIR)$(PREFIX)/share/man/man8"
	bin/swrunc completion bash >"$(DESTDIR)$(BASH_COMPLETIONS)/swrunc"
	bin/swrunc completion zsh >"$(DESTDIR)$(ZSH_COMPLETIONS)/_swrunc"
	bin/swrunc completion fish >"$(DESTDIR)$(FISH_COMPLETIONS)/swrunc.fish"

# The manual pages, in .build/man; roff must have nothing to say about them.
man: build
	@mkdir -p .build/man
	bin/swrunc __man .build/man
	@for page in .build/man/*.8; do \
		said=$$(man --warnings -E UTF-8 -l -Tutf8 -Z "$$page" 2>&1 >/dev/null); \
		if [ -n "$$said" ]; then echo "$$page: $$said" >&2; exit 1; fi; \
	done

# A Debian package, in .build/deb.
deb: build
	scripts/deb

check-deb: build
	scripts/check-deb

fmt:
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_FILES)

# Warnings are errors (Package.swift), so that building all targets is a check too.
check: lint rules setup
	$(SWIFT) build --build-tests

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_FILES)

rules:
	scripts/check-rules

test: rules build
	scripts/test

# In virtual machines, whose kernel and cgroups are others than this machine's.
# e.g. make test-vm GUESTS=plain FILTER=CgroupV2
test-vm: build
	$(SWIFT) build --build-tests
	FILTER='$(FILTER)' conformance/vm/run $(GUESTS)

test-engines: build
	scripts/setup engines
	scripts/test engines

# e.g. make bench ARGUMENTS="--many 500"
bench: build
	bench/run.sh $(ARGUMENTS)

# e.g. make sweep ARGUMENTS="--seconds 240", or what a finding says
sweep: build
	conformance/sweep/run $(ARGUMENTS)

quickstart: build
	scripts/quickstart

setup:
	@scripts/setup

clean:
	rm -rf .build bin
