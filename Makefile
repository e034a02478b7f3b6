# lagoon - `make` alone says what there is.
#
# BUILD=DIR        builds there instead of in build/
# SANITIZE=WHAT    address,undefined or thread: builds in $(BUILD)-WHAT, and specs run against that
# SPEC=FILES       the specs that `make test` and `make test-kafka` run
# WERROR=          compiles on in spite of warnings (a compiler newer than we know)

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
WERROR  ?= -Werror

MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

comma := ,
OUT   := $(BUILD)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

# ---- what Debian has to provide -----------------------------------------------------------------

BUILD_PACKAGES := gcc libc6-dev make pkg-config librdkafka-dev liblua5.4-dev lua-cjson-dev \
                  libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev uthash-dev
TEST_PACKAGES  := lua5.4 lua-busted lua-luv lua-filesystem lua-cjson lua-yaml kcat
LINT_PACKAGES  := clang-format lua-check
FUZZ_PACKAGES  := clang libclang-rt-dev
IMAGE_PACKAGES := podman buildah runc debootstrap
ALERT_PACKAGES := prometheus
# Any Java from 17 on will do.
KAFKA_PACKAGES  = maven openssl $(if $(shell command -v java),,default-jre-headless)

# $(call need,PACKAGES,COMMANDS AND PKG-CONFIG MODULES THAT STAND FOR THEM ELSEWHERE)
# Quick when all is there: one question to dpkg. Elsewhere than on Debian it only looks.
define need
@if command -v apt-get > /dev/null; then \
    missing=$$(comm -23 <(printf '%s\n' $(1) | sort) \
        <(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(1) 2> /dev/null | \
          sed -n 's/^installed //p' | sort -u)); \
    test -z "$$missing" && exit 0; \
    echo "installing $$(echo $$missing)"; \
    sudo=; test "$$(id -u)" = 0 || sudo="sudo"; \
    wait="-o DPkg::Lock::Timeout=300"; \
    $$sudo apt-get $$wait update -q && \
    $$sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get $$wait install -q -y --no-install-recommends $$missing; \
else \
    for thing in $(2); do \
        command -v $$thing > /dev/null || pkg-config --exists $$thing 2> /dev/null || { \
            echo "There is no apt here and $$thing is missing; please install what Debian calls" \
                "$(1)." >&2; exit 1; }; \
    done; \
fi
endef

.PHONY: need-build need-test need-lint need-kafka need-image need-alerts need-fuzz
need-build:
	$(call need,$(BUILD_PACKAGES),$(CC) pkg-config rdkafka lua5.4 libuv libcurl libmicrohttpd)
need-test: need-build
	$(call need,$(TEST_PACKAGES),lua5.4 busted kcat)
need-lint: need-test
	$(call need,$(LINT_PACKAGES),clang-format luacheck)
need-kafka: need-test
	$(call need,$(KAFKA_PACKAGES),java mvn openssl)
need-image: need-kafka
	$(call need,$(IMAGE_PACKAGES),podman buildah)
need-alerts: need-test
	$(call need,$(ALERT_PACKAGES),prometheus promtool)

need-fuzz: need-build
	$(call need,$(FUZZ_PACKAGES),clang)

# ---- the program --------------------------------------------------------------------------------

# Asked when a compiler is about to run, so not before need-build has installed what they ask about.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags rdkafka lua5.4 libuv libcurl libmicrohttpd))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs rdkafka lua5.4 libuv libcurl libmicrohttpd))$(PKG_LIBS)

CFLAGS   ?= -O2 -g
# -fPIC because the same objects make the program and the specs' library.
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(WERROR) -fPIC -fno-semantic-interposition \
             -fno-omit-frame-pointer $(CFLAGS) $(SANITIZE_FLAGS) -Iruntime $(PKG_CFLAGS)
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
LIBS       = $(PKG_LIBS) -lpthread -ldl -lm

# The library for tests is made of the program's objects, with a few of its own.
SOURCES := $(filter-out runtime/testing%,$(wildcard runtime/*.c))
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o) $(OUT)/generated/library.o
LIBRARY := $(sort $(filter-out %.d.lua,$(shell find lua -name '*.lua')) $(wildcard lua/new/*))

ifneq ($(findstring thread,$(SANITIZE)),)
OBJECTS += $(OUT)/spec/support/tsan/under_tsan.o
endif

# Scripts may require C modules, which take Lua's functions from the program: hence -E.
$(OUT)/lagoon: $(OBJECTS)
	@echo "LD $@"
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ -l:liblua5.4-cjson.a $(LIBS)

$(OUT)/%.o: %.c | need-build
	@echo "CC $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The Lua library becomes arrays of bytes: every file between two lines that name it.
$(OUT)/generated/library.c: $(OUT)/generated/library.list $(LIBRARY)
	@echo "LUA $@"
	@{ echo '#include "library.h"'; echo '#include <string.h>'; \
	   echo 'const struct library_file *library_find(const char *module) {'; \
	   for file in $(LIBRARY); do \
	       module=$${file#lua/}; module=$${module%.lua}; module=$${module%/init}; \
	       echo 'static const unsigned char bytes_'$${module//[\/.]/_}'[] = {'; \
	       od -An -v -tx1 $$file | sed 's/ \(..\)/0x\1,/g'; \
	       echo '0};'; \
	   done; \
	   echo 'static const struct library_file files[] = {'; \
	   for file in $(LIBRARY); do \
	       module=$${file#lua/}; module=$${module%.lua}; module=$${module%/init}; \
	       bytes=bytes_$${module//[\/.]/_}; \
	       echo '{"lagoon.'$${module//\//.}'", "@'$$file'", (const char *)'$$bytes, \
	            'sizeof('$$bytes') - 1},'; \
	   done; \
	   echo '{NULL, NULL, NULL, 0}};'; \
	   echo 'for (const struct library_file *file = files; file->module != NULL; file++)'; \
	   echo 'if (strcmp(file->module, module) == 0) return file;'; \
	   echo 'return NULL; }'; } > $@

$(OUT)/generated/%.o: $(OUT)/generated/%.c | need-build
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# A list is written anew only when it differs, so that a file that comes or goes is noticed.
$(OUT)/generated/library.list: LIST = $(LIBRARY)
$(OUT)/generated/unit.list: LIST = $(UNITS)
$(OUT)/generated/%.list: always
	@mkdir -p $(@D)
	@new=$@.$$$$; printf '%s\n' $(LIST) > $$new; \
	    cmp -s $$new $@ && rm $$new || mv $$new $@

.PHONY: always
always:

# ---- the C modules for the unit specs -----------------------------------------------------------

UNIT_SOURCES := $(filter-out %/unit.c,$(wildcard spec/support/unit/*.c))
UNITS        := $(basename $(notdir $(UNIT_SOURCES)))
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(OUT)/%.o) $(filter-out %/main.o,$(OBJECTS))

$(OUT)/generated/unit_modules.h: $(OUT)/generated/unit.list
	@sed -n 's/..*/UNIT(&)/p' $< > $@

$(OUT)/spec/support/unit/unit.o: $(OUT)/generated/unit_modules.h

$(OUT)/spec/support/unit/%.o: spec/support/unit/%.c | need-build
	@echo "CC $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -I$(OUT)/generated -MMD -MP -c -o $@ $<

$(OUT)/unit.so: $(OUT)/spec/support/unit/unit.o $(OUT)/unit_modules.so
	@echo "LD $@"
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -shared -o $@ $< -ldl

# Lua's functions come from the interpreter that loads it. The static lua-cjson is made for programs
# only, so here it is the shared one.
$(OUT)/unit_modules.so: $(UNIT_OBJECTS) | need-test
	@echo "LD $@"
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -shared -Wl,-z,lazy -Wl,-z,undefs -o $@ $^ \
	    -l:liblua5.4-cjson.so.0 $(filter-out -llua%,$(LIBS))

# ---- the program with a fault planted in it ------------------------------------------------------

# PLANT names the fault, PLANTED the files that it changes; below PLANT_OUT they stand changed.
# All other objects are the program's.
ifneq ($(PLANTED),)
PLANT_OUT     := $(OUT)/plants/$(PLANT)
plant_objects  = $(filter-out $(PLANTED:%.c=$(OUT)/%.o),$(1)) $(PLANTED:%.c=$(PLANT_OUT)/%.o)

$(PLANT_OUT)/%.o: $(PLANT_OUT)/%.c
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(PLANT_OUT)/lagoon: $(call plant_objects,$(OBJECTS))
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ -l:liblua5.4-cjson.a $(LIBS)

# unit.so opens the library beside it.
$(PLANT_OUT)/unit.so: $(OUT)/unit.so $(PLANT_OUT)/unit_modules.so
	@cp $< $@

$(PLANT_OUT)/unit_modules.so: $(call plant_objects,$(UNIT_OBJECTS))
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -shared -Wl,-z,lazy -Wl,-z,undefs -o $@ $^ \
	    -l:liblua5.4-cjson.so.0 $(filter-out -llua%,$(LIBS))
endif

# ---- the library for tests of handlers ----------------------------------------------------------

TESTING_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard runtime/testing*.c)) \
                   $(filter-out %/main.o %/bindings_place.o,$(OBJECTS))

# Where `require` looks for it with LUA_CPATH='$(OUT)/lua/?.so'. All but its one entry stays its own.
$(OUT)/lua/lagoon/testing.so: $(TESTING_OBJECTS)
	@echo "LD $@"
	@mkdir -p $(@D)
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -shared -Wl,-Bsymbolic -Wl,-z,undefs -o $@ $^ \
	    -l:liblua5.4-cjson.so.0 $(filter-out -llua%,$(LIBS))

# What editors read, where the program of the build tree looks for it.
ANNOTATIONS := $(notdir $(wildcard lua/*.d.lua))

$(OUT)/lua/%.d.lua: lua/%.d.lua
	@install -D -m 644 $< $@

# All that is installed.
PARTS := $(OUT)/lagoon $(OUT)/lua/lagoon/testing.so $(ANNOTATIONS:%=$(OUT)/lua/%)

-include $(shell find $(OUT) -name '*.d' 2> /dev/null)

# ---- a dispatcher under real threads -------------------------------------------------------------

STORM_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard spec/support/storm/*.c)) \
                 $(filter-out %/main.o,$(OBJECTS))

$(OUT)/storm: $(STORM_OBJECTS)
	@echo "LD $@"
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^ -l:liblua5.4-cjson.a $(LIBS)

# ---- who abuses the admin server -------------------------------------------------------------------

$(OUT)/abuse: $(patsubst %.c,$(OUT)/%.o,$(wildcard spec/support/abuse/*.c)) $(OUT)/runtime/util.o
	@echo "LD $@"
	@$(CC) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^

# ---- what people type ---------------------------------------------------------------------------

.PHONY: help run dev test test-kafka test-image test-debian13 test-alerts bench simulate chaos chaos-selftest fuzz fuzz-run lint format \
    clean deps

help:
	@echo "make run         build lagoon and run the example against the embedded broker"
	@echo "make test        build it and run the specs"
	@echo "make test-kafka  run the functional specs against a real Apache Kafka"
	@echo "make test-image  build both container images and run them (root, podman)"
	@echo "make test-debian13  run the functional specs on Debian 13 (root, podman)"
	@echo "make test-alerts  see each alert rule fire by its cause, in a real Prometheus"
	@echo "make simulate    play random games of what decides: SEEDS=1..200 EVENTS=100000 each"
	@echo "make fuzz        search for inputs that break something: FUZZ=json SECONDS=60 each"
	@echo "make chaos       disturb a group on a real Kafka and judge it: SCENARIO=kills SEED=7; LIST=1"
	@echo "make chaos-selftest  plant faults in the program, see each found: PLANT=wake_lost"
	@echo "make bench       measure on a Kafka of its own: ROUNDS=7 RECORDS=3000000 CASES=bare,key"
	@echo "make lint        check the sources, change nothing"
	@echo "make format      format the C sources"
	@echo "make install     into PREFIX ($(PREFIX)), below DESTDIR if that is set; or uninstall"
	@echo "make clean       remove what was built"
	@echo "make deps        install what any of these but fuzz need (apt), build nothing"
	@echo
	@echo "SPEC=spec/unit/json_spec.lua runs only that; SANITIZE=address,undefined or thread;"
	@echo "BUILD=DIR builds elsewhere than in build/"

deps:
	$(call need,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES) $(KAFKA_PACKAGES) \
	    $(IMAGE_PACKAGES) $(ALERT_PACKAGES))

run dev: $(PARTS)
	$(OUT)/lagoon dev

include packaging/install.mk

clean:
	rm -rf $(BUILD) $(BUILD)-*

# ---- specs --------------------------------------------------------------------------------------

REPORTS := $(OUT)/reports

# Under AddressSanitizer the C modules of the unit specs are checked inside an interpreter that is
# not built with it: its library is loaded first. The interpreter keeps its memory until the end, so
# leaks are looked for only in the processes that specs start (LAGOON_SPEC_...).
ifneq ($(findstring address,$(SANITIZE)),)
ASAN     = log_path=$(CURDIR)/$(REPORTS)/asan
UBSAN    = print_stacktrace=1:log_path=$(CURDIR)/$(REPORTS)/ubsan
SPEC_ENV = LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) LAGOON_SPEC_PATIENCE=3 \
    ASAN_OPTIONS=detect_leaks=0:$(ASAN) LAGOON_SPEC_ASAN_OPTIONS=detect_leaks=1:$(ASAN) \
    UBSAN_OPTIONS=$(UBSAN) LAGOON_SPEC_UBSAN_OPTIONS=$(UBSAN)
endif

# Under ThreadSanitizer only the program is; the interpreter takes the plain modules. That of gcc 12
# does not know address spaces as random as newer kernels make them: setarch -R. A thread that is
# left at the end is no fault: a stop abandons handlers that do not end in time, and says so.
UNIT_SO = $(OUT)/unit.so
SPECS   = $(or $(SPEC),$(wildcard spec/unit spec/functional))
ifneq ($(findstring thread,$(SANITIZE)),)
TSAN     = suppressions=$(CURDIR)/spec/support/tsan/suppressions:report_thread_leaks=0:$\
           log_path=$(CURDIR)/$(REPORTS)/tsan
SPEC_ENV = LAGOON_SPEC_PATIENCE=6 LAGOON_SPEC_TSAN_OPTIONS=$(TSAN)
SPEC_RUN = setarch -R
UNIT_SO  = $(BUILD)/unit.so
SPECS    = $(or $(SPEC),$(wildcard spec/functional))
.PHONY: $(BUILD)/unit.so
$(BUILD)/unit.so:
	@$(MAKE) --no-print-directory SANITIZE= $@
endif

# The interpreters that specs start take the plain library for tests.
TESTING_SO = $(if $(SANITIZE),$(BUILD),$(OUT))/lua/lagoon/testing.so
ifneq ($(SANITIZE),)
.PHONY: $(BUILD)/lua/lagoon/testing.so
# One make at a time in that folder.
$(BUILD)/lua/lagoon/testing.so: $(filter $(BUILD)/unit.so,$(UNIT_SO))
	@$(MAKE) --no-print-directory SANITIZE= $@
endif

# The interpreter is named because Debian's busted takes `lua`, which may be another version.
BUSTED = mkdir -p $(REPORTS) && rm -f $(REPORTS)/* && \
    LAGOON_BUILD=$(OUT) LAGOON_SPEC_TESTING=$(TESTING_SO) LAGOON_SPEC_REPORTS=$(REPORTS) LUA_INIT= \
    LUA_PATH='./?.lua;;' LUA_CPATH='$(dir $(UNIT_SO))?.so;;' $(SPEC_ENV) \
    $(SPEC_RUN) lua5.4 /usr/bin/busted -o spec/support/summary.lua --helper=spec/support/setup.lua

# The summary removes the reports that it shows; one that ended the interpreter is left.
DIED = || { code=$$?; cat $(REPORTS)/* 2> /dev/null; \
    [ $$code -le 128 ] || echo "the interpreter of the specs ended with $$code"; exit 1; }

# busted without files would run all that it finds.
check_specs = $(if $(SPECS),,$(error there are no specs to run))

# Unit specs alone do not need a program that links.
RUN_PARTS = $(PARTS) $(TESTING_SO) $(OUT)/storm $(OUT)/abuse

test: need-test $(UNIT_SO) $(if $(filter-out spec/unit%,$(SPECS)),$(RUN_PARTS))
	$(check_specs)@$(BUSTED) $(SPECS) $(DIED)

# The jars stay when the program changes, and Maven keeps its own copy in the home folder.
KAFKA_JARS := build/kafka/jars

$(KAFKA_JARS)/.complete: spec/support/kafka/pom.xml | need-kafka
	@echo "MVN $(KAFKA_JARS)"
	@rm -rf $(KAFKA_JARS)
	@mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime \
	    -DoutputDirectory=$(CURDIR)/$(KAFKA_JARS)
	@touch $@

test-kafka: SPECS = $(or $(SPEC),$(wildcard spec/functional spec/kafka))
test-kafka: need-kafka $(KAFKA_JARS)/.complete $(UNIT_SO) $(RUN_PARTS)
	$(check_specs)@export LAGOON_SPEC_BROKER=kafka LAGOON_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS); \
	    $(BUSTED) $(SPECS) $(DIED)

# Both images, built and run without a daemon, and handling orders of a real Kafka.
test-image: SPECS = $(or $(SPEC),$(wildcard spec/image))
test-image: need-image $(KAFKA_JARS)/.complete $(UNIT_SO) $(RUN_PARTS)
	$(check_specs)@export LAGOON_SPEC_BROKER=kafka LAGOON_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS); \
	    $(BUSTED) $(SPECS) $(DIED)

# The functional specs on Debian 13, with its compiler and libraries.
test-debian13: need-image
	@spec/support/image/debian13.sh $(or $(SPEC),spec/functional)

# What monitoring/ has, in the hands of Prometheus.
test-alerts: SPECS = $(or $(SPEC),$(wildcard spec/monitoring))
test-alerts: need-alerts $(UNIT_SO) $(RUN_PARTS)
	$(check_specs)@$(BUSTED) $(SPECS) $(DIED)

# Seeded games of the modules that decide, against a model: spec/simulation/run.lua.
SEEDS  ?= 1..20
EVENTS ?= 100000
GAME   ?=
STEPS  ?=

simulate: need-test $(UNIT_SO)
	@LUA_INIT= LUA_PATH='./?.lua;;' LUA_CPATH='$(dir $(UNIT_SO))?.so;;' \
	    lua5.4 spec/simulation/run.lua SEEDS=$(SEEDS) EVENTS=$(EVENTS) GAME=$(GAME) STEPS=$(STEPS)

# ---- fuzzers ------------------------------------------------------------------------------------

# Each file of spec/fuzz is one; all is compiled anew for them, by clang, with its sanitizers.
FUZZERS := $(basename $(notdir $(wildcard spec/fuzz/*.c)))
FUZZ    ?= $(FUZZERS)
SECONDS ?=

fuzz: need-fuzz
	@$(MAKE) --no-print-directory CC=clang WERROR= CFLAGS='-O1 -g' \
	    SANITIZE=fuzzer-no-link,address,undefined fuzz-run FUZZ='$(FUZZ)' SECONDS=$(or $(SECONDS),60)

fuzz-run: $(FUZZ:%=$(OUT)/fuzz/%) $(OUT)/fuzz/config.dict
	@spec/fuzz/run.sh $(OUT)/fuzz $(SECONDS) $(FUZZ)

$(OUT)/fuzz/%: $(OUT)/spec/fuzz/%.o $(filter-out %/main.o,$(OBJECTS))
	@echo "LD $@"
	@mkdir -p $(@D)
	@$(CC) $(subst fuzzer-no-link,fuzzer,$(SANITIZE_FLAGS)) $(LDFLAGS) -o $@ $^ \
	    -l:liblua5.4-cjson.a $(LIBS)

.SECONDARY: $(FUZZERS:%=$(OUT)/spec/fuzz/%.o)

# The words that the config's checker knows.
$(OUT)/fuzz/config.dict: $(wildcard lua/config/*.lua)
	@mkdir -p $(@D)
	@grep -oh '[a-z][a-z_.]\{2,\}' $^ | sort -u | sed 's/.*/"&"/' > $@

# ---- scenarios on a real Kafka ------------------------------------------------------------------

SCENARIO ?=
SEED     ?=
RECORDS  ?=
FAULTS   ?=
REQUESTS ?=
BROKERS  ?=
LIST     ?=

# LAGOON_BUILD names another build of the program to play with.
chaos: need-kafka $(KAFKA_JARS)/.complete $(UNIT_SO) $(OUT)/lagoon $(OUT)/abuse
	@mkdir -p $(REPORTS) && rm -f $(REPORTS)/* && LAGOON_SPEC_REPORTS=$(REPORTS) \
	    LAGOON_BUILD=$(or $(LAGOON_BUILD),$(OUT)) LAGOON_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) LUA_INIT= \
	    LUA_PATH='./?.lua;;' LUA_CPATH='$(dir $(UNIT_SO))?.so;;' $(SPEC_ENV) $(SPEC_RUN) \
	    lua5.4 spec/chaos/run.lua SCENARIO=$(SCENARIO) SEED=$(SEED) RECORDS=$(RECORDS) \
	    FAULTS=$(FAULTS) REQUESTS=$(REQUESTS) SECONDS=$(SECONDS) RATE=$(RATE) BROKERS=$(BROKERS) LIST=$(LIST)

# The faults of spec/chaos/plants, or those that PLANT names, and the program as it is.
chaos-selftest: need-kafka $(KAFKA_JARS)/.complete $(UNIT_SO) $(OUT)/lagoon
	@LAGOON_BUILD=$(OUT) LAGOON_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) LUA_INIT= LUA_PATH='./?.lua;;' \
	    LUA_CPATH='$(dir $(UNIT_SO))?.so;;' lua5.4 spec/chaos/selftest.lua $(PLANT)

# ---- the benchmark ------------------------------------------------------------------------------

# Loaders and consumers are plain programs, with the objects of ours that they need.
$(OUT)/bench/%: bench/%.c $(filter-out %/main.o,$(OBJECTS))
	@echo "LD $@"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ -l:liblua5.4-cjson.a $(LIBS)

bench: need-kafka $(KAFKA_JARS)/.complete $(UNIT_SO) $(PARTS) $(OUT)/bench/consumer $(OUT)/bench/load
	@LAGOON_BUILD=$(OUT) LAGOON_SPEC_BROKER=kafka LAGOON_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) LUA_INIT= \
	    LUA_PATH='./?.lua;;' LUA_CPATH='$(dir $(UNIT_SO))?.so;;' ROUNDS='$(ROUNDS)' \
	    RECORDS='$(RECORDS)' CASES='$(CASES)' lua5.4 bench/run.lua

# ---- looking at the sources ---------------------------------------------------------------------

C_FILES     := $(wildcard runtime/*.[ch] bench/*.c spec/support/unit/*.[ch] spec/support/tsan/*.c \
               spec/support/storm/*.[ch] spec/support/abuse/*.[ch] spec/fuzz/*.[ch])
LUA_FOLDERS := $(wildcard bench config.lua docker lua scripts spec)
LINTED      := $(patsubst %.c,$(OUT)/lint/%.o,$(filter %.c,$(C_FILES)))
# A function longer than this has a second one inside.
MAX_LINES   := 80

.PHONY: lint-format lint-lua lint-length lint-c
lint: lint-format lint-lua lint-length lint-c
	@echo "lint: nothing to mend"

lint-format: need-lint
	@clang-format --dry-run -Werror $(C_FILES)

lint-lua: need-lint
	@luacheck -q --no-color $(LUA_FOLDERS)

lint-length:
	@awk '/^\{/ { first = FNR } \
	      /^\}/ { if (first && FNR - first > $(MAX_LINES)) { \
	                  print FILENAME ":" first ": a function of " FNR - first - 1 " lines"; \
	                  bad = 1 } first = 0 } \
	      END { exit bad }' $(C_FILES)

lint-c: $(LINTED)

$(OUT)/lint/%.o: %.c $(OUT)/generated/unit_modules.h | need-build
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -fanalyzer -I$(OUT)/generated -MMD -MP -c -o $@ $<

format: need-lint
	clang-format -i $(C_FILES)
