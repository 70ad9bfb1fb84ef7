# make demo · make test · make torture · make bench · make lib · make docs · make install · make wheels · make dist · make clean
# The first two need nothing but a Swift toolchain, make and this folder: see scripts/setup.sh.

BUILD := build
LIBRARY := $(BUILD)/libbackprop.so
PROGRAM := $(BUILD)/backprop
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
PREFIX ?= /usr/local
VERSION = $(shell sed -n 's/.*BP_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$$/\2/p' include/backprop.h | paste -sd.)
EMBEDDED := .build/embedded
OBJECTS := $(EMBEDDED)/release/backprop.product/Objects.LinkFileList
SWIFT_FLAGS := -c release --disable-automatic-resolution

export LIBBACKPROP_LIBRARY := $(CURDIR)/$(LIBRARY)

.PHONY: all lib setup setup-docs setup-test setup-wasm setup-browser setup-cross setup-wheel setup-wheels setup-dist demo \
	demo-distributed test test-sanitizers test-everywhere test-32bit test-riscv64 test-microcontroller \
	test-windows test-playground test-wheels test-dist test-python-all test-distributed-all test-export-all \
	test-all-hosts torture torture-files torture-calls torture-activations torture-fuzz bench bench-quick bench-latency \
	bench-accuracy bench-ensemble bench-compare abi wasm xcframework playground docs install uninstall wheel wheels dist clean

all: lib

# ---- The shared library and the program: Embedded Swift, no Swift runtime ----

# make lib TARGET=aarch64-linux builds for another system into build/TARGET: scripts/cross.sh lists the targets.
ifdef TARGET
lib: setup-cross
	scripts/cross.sh '$(TARGET)' $(BUILD)
else
lib: setup
	swift build $(SWIFT_FLAGS) --product backprop --traits Embedded --scratch-path $(EMBEDDED)
	mkdir -p $(BUILD)
	cp $(EMBEDDED)/release/libbackprop.so $(BUILD)/libbackprop.debug.so
	scripts/strip.sh $(BUILD)/libbackprop.debug.so $(LIBRARY).1
	ln -sf libbackprop.so.1 $(LIBRARY)
	scripts/static_archive.sh $(BUILD)/libbackprop.a @$(OBJECTS)
	python3 scripts/declarations.py include/backprop.h > $(BUILD)/backprop_ffi.h
	swift build $(SWIFT_FLAGS) --product backprop-command --traits Embedded --scratch-path $(EMBEDDED)
	cp $(EMBEDDED)/release/backprop-command $(PROGRAM).debug
	scripts/strip.sh $(PROGRAM).debug $(PROGRAM)
	$(PROGRAM) --man > $(PROGRAM).1
	for shell in bash zsh fish; do $(PROGRAM) --completion $$shell > $(PROGRAM).$$shell || exit; done
	python3 scripts/docs/manpages.py $(BUILD)/man/man3
endif

setup:
	scripts/setup.sh $(VENV)

setup-docs: setup
	scripts/setup.sh $(VENV) docs

# WebAssembly, and the package for JavaScript, which is not published.
wasm: setup-wasm
	scripts/cross.sh wasm $(BUILD)
	scripts/cross.sh wasm-threads $(BUILD)
	scripts/javascript_package.sh $(BUILD)

# For Apple's systems: build/backprop.xcframework. Compiled and linked on Linux, never run.
xcframework: setup-cross
	for target in arm64-apple x86_64-apple arm64-ios arm64-ios-simulator; do scripts/cross.sh $$target $(BUILD) || exit; done
	scripts/xcframework.sh $(BUILD)

# The page docs/playground, ready for: python3 -m http.server --directory build/playground
playground: wasm
	scripts/playground.sh $(BUILD)

setup-wasm: setup
	scripts/setup.sh $(VENV) wasm

setup-browser: setup-test
	scripts/setup.sh $(VENV) browser

setup-cross: setup
	scripts/setup.sh $(VENV) cross

setup-test: setup # which has ended: both use the same virtual environment
	scripts/setup.sh $(VENV) test

setup-wheel setup-wheels: setup
	scripts/setup.sh $(VENV) $(@:setup-%=%)

setup-dist: setup
	scripts/setup.sh $(VENV) dist

# ---- The main job on real data ----

demo: lib
	scripts/demo.sh $(BUILD) $(PYTHON)

# The same by two processes, with MPI.
demo-distributed: lib setup-test
	Tests/Distributed/demo.sh $(BUILD) 2

# ---- Tests ----

# A line for each part; each is also a target by itself. They run at the same time, so that none may write where another one
# reads. The longest are first: then the last ones end at about the same time. (test-fuzz uses the library of test-address.)
TEST_PARTS := \
	test-address \
	test-thread \
	test-c \
	test-swift \
	test-python \
	test-cli \
	test-export \
	test-fuzz \
	test-hosts \
	test-docs \
	test-consumer \
	test-install \
	test-mpi \
	lint \
	test-arm64 \
	test-apple \
	test-wasm \
	test-valgrind \
	test-models \
	test-runner \
	test-library \
	test-abi
.PHONY: $(TEST_PARTS)

test:
	@scripts/test.sh "lib setup-test" $(TEST_PARTS)

lint: setup-test
	scripts/lint.sh $(PYTHON)

test-library: lib setup-test
	Tests/Library/run.sh $(BUILD) $(EMBEDDED)/release

test-swift: setup-test
	swift test $(SWIFT_FLAGS) -Xswiftc -enable-testing --scratch-path .build/tests
	BACKPROP_INSTRUCTION_SET=baseline swift test $(SWIFT_FLAGS) -Xswiftc -enable-testing --scratch-path .build/tests --skip-build

test-c: lib setup-test
	Tests/CTests/run.sh $(BUILD) native baseline

test-python: lib setup-test
	cd bindings/python && $(CURDIR)/$(PYTHON) -m pytest -q -rs
	cd bindings/python && BACKPROP_INSTRUCTION_SET=baseline $(CURDIR)/$(PYTHON) -m pytest -q -rs

# As test-python, with PyTorch, which is large, and exporters. Otherwise the tests that need them are skipped.
test-python-all: lib setup-test
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r scripts/requirements-all.txt
	cd bindings/python && $(CURDIR)/$(PYTHON) -m pytest -q -rs

test-cli: lib setup-test
	Tests/CLI/run.sh $(BUILD) $(PYTHON)

test-export: lib setup-test
	Tests/Export/run.sh $(BUILD)

# As test-export, with compilers for Arm and AVR, which are large.
test-export-all: lib
	scripts/setup.sh $(VENV) compilers
	Tests/Export/run.sh $(BUILD)

test-hosts: lib setup-test
	Tests/Hosts/run.sh $(BUILD) $(PYTHON); status=$$?; Tests/Hosts/languages.sh $(BUILD) $(PYTHON) && exit $$status

# The examples in all languages, also those whose toolchains are large.
test-all-hosts: lib setup-test
	scripts/setup.sh $(VENV) all-hosts
	Tests/Hosts/languages.sh $(BUILD) $(PYTHON) all

test-install: lib setup-test
	Tests/Install/run.sh $(BUILD) $(PYTHON)

test-consumer: lib
	Tests/Consumer/run.sh $(BUILD)

test-mpi: lib setup-test
	Tests/Distributed/run.sh $(BUILD) $(PYTHON) mpi

# The same with PyTorch's Gloo, fits by Ray and Dask, and a lost process of an MPI with fault tolerance. PyTorch and Ray are large.
test-distributed-all: test-mpi
	Tests/Distributed/ulfm.sh $(BUILD) $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r scripts/requirements-all.txt
	Tests/Distributed/run.sh $(BUILD) $(PYTHON) gloo
	cd bindings/python && ALL_ENGINES=1 $(CURDIR)/$(PYTHON) -m pytest -q -rs tests/test_engines.py

test-models: setup-test
	Tests/Models/run.sh

test-abi: lib setup-test
	Tests/abi/run.sh check $(BUILD)

abi: lib setup-test
	Tests/abi/run.sh record $(BUILD)

test-fuzz: lib setup-test
	Fuzz/run.sh replay $(BUILD)
	Fuzz/run.sh watched

test-sanitizers: test-address test-thread test-valgrind

test-address test-thread: setup-test
	Tests/Sanitizers/run.sh $(BUILD) $(@:test-%=%)

test-valgrind: lib setup-test
	Tests/Sanitizers/run.sh $(BUILD) valgrind realtime

test-runner:
	Tests/Runner/run.sh

test-docs: lib setup-test
	Tests/Docs/run.sh $(BUILD) $(PYTHON)

# Libraries for other systems (docs/platforms.md). These run a part of the tests; EXTENT=all runs all that can run here.
EXTENT ?= quick

test-arm64: lib setup-test
	Tests/Platforms/run.sh aarch64-linux $(BUILD) $(EXTENT)

test-32bit: lib setup-cross
	Tests/Platforms/run.sh i686-linux $(BUILD) $(EXTENT)

test-riscv64: lib setup-cross
	Tests/Platforms/run.sh riscv64-linux $(BUILD) $(EXTENT)

test-wasm: lib setup-test
	Tests/Platforms/run.sh wasm $(BUILD) $(EXTENT)

# The page in headless Chromium.
test-playground: lib setup-browser playground
	Tests/Playground/run.sh $(BUILD) $(PYTHON)

# Compiled and linked, never run.
test-apple: setup-test
	Tests/Platforms/apple.sh $(BUILD) $(EXTENT)

# A training on a Cortex-M4 and a Cortex-M7 under qemu.
test-microcontroller: lib setup-cross
	Tests/Platforms/microcontroller.sh $(BUILD)

# The header for Windows, and what of CPlatform compiles for it.
test-windows: setup-cross
	Tests/Platforms/windows.sh $(BUILD)

test-everywhere: lib setup-test setup-cross
	for part in arm64 32bit riscv64 wasm apple microcontroller windows playground wheels; do \
		$(MAKE) -o lib -o setup-test -o setup-cross EXTENT=all test-$$part || failed=1; \
	done; [ -z "$$failed" ]

# ---- The same claims at length: see docs/reliability.md ----

torture: torture-files torture-calls torture-activations torture-fuzz

torture-files: lib setup-test
	TORTURE=1 TIMEOUT=7200 ONLY="mutations faults" Tests/CTests/run.sh $(BUILD)

torture-calls: lib setup-test
	TORTURE=1 TIMEOUT=3600 ONLY="limits memory hygiene allocations resumed_fits finite" Tests/CTests/run.sh $(BUILD)
	MEMCHECK="arguments activations foreign resume metadata weights" Tests/Sanitizers/run.sh $(BUILD) valgrind

# One in STRIDE floats; ACTIVATION=tanh for one activation.
STRIDE ?= 1
ACCURACY := -std=gnu99 -Wall -Wextra -O3 -march=native -I include

torture-activations: lib
	$(CC) $(ACCURACY) -ffast-math -c Tests/Accuracy/in_double.c -o $(BUILD)/in_double.o
	$(CC) $(ACCURACY) -fno-math-errno -fno-trapping-math Tests/Accuracy/accuracy.c $(BUILD)/in_double.o \
		-o $(BUILD)/accuracy -L $(BUILD) -Wl,-rpath,$(CURDIR)/$(BUILD) -lbackprop -lm -lpthread
	$(BUILD)/accuracy $(STRIDE) $(ACTIVATION)

# For each of the two targets.
FUZZ_SECONDS ?= 3600

torture-fuzz: setup-test
	Fuzz/run.sh fuzz $(FUZZ_SECONDS)

# ---- Benchmarks: see Benchmarks/README.md ----

bench: lib
	python3 Benchmarks/bench.py

bench-quick: lib
	$(PYTHON) Benchmarks/bench.py --quick

# Errors against time on small problems: about 45 minutes. What is complete is not run again.
bench-accuracy: lib
	python3 Benchmarks/accuracy/run.py $(ROWS)

# Many networks at once beside JAX's vmap: about two minutes.
bench-ensemble: lib
	python3 Benchmarks/ensemble.py $(ROWS)

CALLS ?= 10000000

# The wheel has ONNX Runtime's library, and nothing that it needs here. Without it, only libbackprop is measured.
$(BUILD)/onnxruntime: | setup
	-$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --target $@ onnxruntime

bench-latency: lib $(BUILD)/onnxruntime
	$(CC) -std=gnu99 -O3 -I include Benchmarks/latency.c -o $(BUILD)/latency -L $(BUILD) -Wl,-rpath,$(CURDIR)/$(BUILD) \
		-lbackprop -lm -lpthread -ldl
	$(BUILD)/latency $(CALLS) $(BUILD)/onnxruntime/onnxruntime/capi/libonnxruntime.so.*

# make bench-compare BASE=v0.1 ROWS="--workloads mnist32,rl --threads 1"
bench-compare: lib
	$(PYTHON) Benchmarks/compare.py $(BASE) $(ROWS)

# ---- Documentation: the site, and the DocC archive of the Swift module ----

docs: setup-docs playground
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --quiet --site-dir $(BUILD)/site
	cp -r $(BUILD)/playground $(BUILD)/site
	scripts/docs/docc.sh $(BUILD)

# ---- For other programs ----

# make install PREFIX=/usr LIBDIR=/usr/lib64 DESTDIR=stage
install uninstall:
	@PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' DESTDIR='$(DESTDIR)' scripts/install.sh $@ $(BUILD) $(VERSION)

# The Python package for this machine, in build/wheel; for all Linux on x86-64 and arm64, in build/wheels: glibc 2.17 and musl 1.2.
wheel: lib setup-wheel
	scripts/wheels.sh $(BUILD) $(BUILD)/wheel $(shell uname -m)-linux-gnu.2.17

wheels: lib setup-wheels
	scripts/wheels.sh $(BUILD) $(BUILD)/wheels $(foreach cpu,x86_64 aarch64,$(cpu)-linux-gnu.2.17 $(cpu)-linux-musl)

# As root, needs a network connection.
test-wheels: wheels
	Tests/Wheels/run.sh $(BUILD) $(VERSION)

# All files of a release, in build/dist. The same commit and tools give the same bytes, in any folder.
dist: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
dist: lib setup-dist
	$(MAKE) -o lib wheels
	scripts/dist.sh $(BUILD) $(VERSION)

# Builds them in another folder, too, and installs the packages in a Debian without a Swift toolchain. As root, about 15 minutes.
test-dist: dist
	Tests/Dist/run.sh $(BUILD) $(VERSION) $(PYTHON)

clean:
	rm -rf $(BUILD) .build
