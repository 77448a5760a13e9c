# Lintel. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PATH := $(PATH):/usr/sbin:/sbin
# Not by node_modules/.bin: the npm of Debian 12 (9.2) makes no link there. Looked for when it is used, since it is installed on the way.
NODE = $(shell ls node_modules/node-linux-*/bin/node 2>/dev/null)
BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=build/%.bpf.o)
WASM_SOURCES := $(shell find wasm -name '*.ts')
SOURCES := $(shell find cli lib src -name '*.ts' ! -name '*.test.ts')
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
CLANG = $(shell command -v clang-19 || command -v clang)
ROOT_ONLY = @[ "$$(id -u)" = 0 ] || { echo "lintel: loading programs into the kernel needs root; run: sudo make $@" >&2; exit 1; }

.PHONY: help
help: ## list the targets
	@echo "Lintel logs every HTTP header that crosses this machine. Start with: make run"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: run
run: setup-run build ## install what is missing, build, and log all interfaces (NDJSON and a store in data/), and show it on a page
	$(ROOT_ONLY)
	@bin/lintel run --output pretty --output file:data/exchanges.ndjson --output store:data/store --web

.PHONY: test
test: setup-test build ## install what is missing, build, and run every test
	$(ROOT_ONLY)
	@$(NODE) tools/test.ts $(TESTS)

.PHONY: test-engines
test-engines: setup-test setup-engines build ## send records to real servers, which are fetched and built into a cache folder outside the clone
	$(ROOT_ONLY)
	@tools/engines.sh
	@$(NODE) tools/test.ts $(if $(ENGINES),$(ENGINES:%=test/engines/%.engine.ts),'test/engines/*.engine.ts')

.PHONY: soak
soak: setup-test build ## an hour of HTTPS while processes start and die: no loss, no leak, no kernel warning (ARGS='--minutes 1')
	$(ROOT_ONLY)
	@$(NODE) test/soak/main.ts $(ARGS)

.PHONY: kills
kills: setup-test build ## kill -9 while records are delivered, 1,000 times (KILLS=50), and what became of the records
	@LINTEL_DELIVERY_KILLS=$(or $(KILLS),1000) $(NODE) --test --test-reporter=spec test/delivery/kill.test.ts

.PHONY: bench
bench: setup-bench build ## measure Lintel against other tools, 80 minutes, and print the tables (ARGS='--help')
	$(ROOT_ONLY)
	@$(NODE) bench/main.ts $(ARGS)

.PHONY: bench-report
bench-report: node_modules ## write docs/benchmarks.md and its plots from the figures of the last make bench
	@$(NODE) bench/report.ts

.PHONY: check
check: node_modules ## type check, and generated files are fresh
	@$(NODE) node_modules/typescript/bin/tsc -p .
	@$(NODE) node_modules/typescript/bin/tsc -p src/web/page
	@$(NODE) tools/gen-layout.ts --check
	@$(NODE) tools/gen-fields.ts --check
	@$(NODE) tools/gen-docs.ts --check
	@$(NODE) tools/gen-dashboards.ts --check

.PHONY: build
build: build/lintel.wasm $(BPF_OBJECTS) build/compile-cache/.filled ## compile the kernel programs and the byte module into build/

.PHONY: layout
layout: node_modules ## regenerate src/capture/events.gen.ts from bpf/events.h
	@$(NODE) tools/gen-layout.ts

.PHONY: clean
clean: ## remove what was built and installed here
	@rm -rf build node_modules

.PHONY: setup-run setup-test setup-engines setup-bench
setup-run setup-test setup-engines setup-bench: setup-%:
	@tools/setup.sh $*

# Each product is written beside its place and moved there, so that an interrupted build leaves nothing half made.
build/lintel.wasm: $(WASM_SOURCES) | node_modules
	@mkdir -p build
	@$(NODE) node_modules/assemblyscript/bin/asc.js wasm/mod.ts -o $@.$$$$.tmp --textFile /dev/null -O3 --runtime stub \
	  --enable simd --enable bulk-memory --initialMemory 4096 --maximumMemory 4096 && mv $@.$$$$.tmp $@

# Node keeps what it compiled of the TypeScript: a capture without packets, and an interface that is not there, bring every module in.
# Without it the first real start would load the compiler on two threads, 30 MiB that stay resident.
build/compile-cache/.filled: $(SOURCES) build/lintel.wasm | node_modules
	@mkdir -p $(@D)
	@printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00' > build/empty.pcap
	@bin/lintel replay build/empty.pcap --output stdout >/dev/null 2>build/empty.log || { cat build/empty.log >&2; exit 1; }
	@bin/lintel run --interface none >/dev/null 2>&1 || true
	@rm -f build/empty.pcap build/empty.log && touch $@

build/vmlinux.h:
	@mkdir -p build
	@bpftool btf dump file /sys/kernel/btf/vmlinux format c > $@.$$$$.tmp && mv $@.$$$$.tmp $@

build/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) build/vmlinux.h
	@$(CLANG) -O2 -g -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Werror -Ibpf -Ibuild -c $< -o $@.$$$$.tmp && mv $@.$$$$.tmp $@

node_modules: package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && touch node_modules
