# Lintel. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NODE := node_modules/.bin/node
CLANG ?= $(shell command -v clang-19 || command -v clang)
BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=build/%.bpf.o)
WASM_SOURCES := $(shell find wasm -name '*.ts')
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: build
build: build/lintel.wasm $(BPF_OBJECTS) ## compile the kernel programs and the byte module into build/

build/lintel.wasm: $(WASM_SOURCES) | node_modules
	@mkdir -p build
	@$(NODE) node_modules/assemblyscript/bin/asc.js wasm/mod.ts -o $@.$$$$.tmp --textFile /dev/null -O3 --runtime stub --enable simd \
	  --enable bulk-memory --initialMemory 4096 --maximumMemory 4096 && mv $@.*.tmp $@

build/vmlinux.h:
	@mkdir -p build
	@bpftool btf dump file /sys/kernel/btf/vmlinux format c > $@.$$$$.tmp && mv $@.*.tmp $@

build/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) build/vmlinux.h
	@$(CLANG) -O2 -g -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Werror -Ibpf -Ibuild -c $< -o $@.$$$$.tmp && mv $@.*.tmp $@

.PHONY: layout
layout: node_modules ## regenerate src/capture/events.gen.ts from bpf/events.h
	@$(NODE) tools/gen-layout.ts

node_modules: package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund && touch node_modules
