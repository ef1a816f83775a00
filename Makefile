# Verbs for newcomers; `make` alone lists them.

TARGET ?= embedded
PLATFORM ?= eth
PYTHON ?= python3.11
PY := .venv/bin/python
PTF_PY := .venv-ptf/bin/python
export CFN_PYTHON := $(abspath $(PY))

TIME ?= 60
PROGRAM ?= p4src/compiled/cfn.json $(wildcard tests/switch/programs/*.json tests/switch/p4rt/programs/*.json)

.PHONY: help demo test unit ptf ptf-all fuzz sanitize shell p4 lint trace bench bench-switch bench-reaction bench-affinity bench-stages bench-fastloop bench-chain bench-steering bench-scale bench-restart clean

help: ## list these verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

demo: .venv/ready ## the main job, live: TARGET=embedded (default) or bmv2
	$(PY) -m topo.demo --target $(TARGET)

test: unit ptf-all ## every test: Python and C, then the packet tests on each target installed

unit: .venv/ready ## the tests of the Python and C code; ARGS="-k name" for some
	$(PY) -m pytest $(ARGS)

ptf: .venv/ready .venv-ptf/ready ## packet tests: TARGET=embedded or bmv2, CASE=file.Test for one, PLATFORM=nn without root
	$(PTF_PY) ptf_tests/run.py --target $(TARGET) --platform $(PLATFORM) $(if $(CASE),--case $(CASE))

ptf-all: .venv/ready .venv-ptf/ready
	@if command -v simple_switch_grpc >/dev/null; then \
	    $(PTF_PY) ptf_tests/run.py --target bmv2; \
	else echo "packet tests on bmv2 skipped: simple_switch_grpc is not installed"; fi
	$(PTF_PY) ptf_tests/run.py --target embedded
	$(PTF_PY) ptf_tests/run.py --target embedded --platform nn --case bind --case nack --case weights

fuzz: .venv/ready ## look for inputs that break the switch (needs clang): TIME=60 seconds a program, PROGRAM=some.json
	$(PY) -m tests.switch.fuzz --time $(TIME) --packets topo/labs/demo.pcap $(PROGRAM)
	FUZZ_FACTOR=$(TIME) $(PY) -m pytest tests/switch/test_load_fuzz.py tests/switch/p4rt/test_fuzz.py tests/switch/p4rt/test_rpc_fuzz.py

sanitize: .venv/ready ## the switch's tests under ASan and UBSan, then under TSan
	scripts/sanitize.sh address $(PY)
	scripts/sanitize.sh thread $(PY)

shell: .venv-ptf/ready ## p4runtime-shell on a running switch: ADDR=127.0.0.1:9559 DEVICE=1
	$(PTF_PY) ptf_tests/shell.py --grpc-addr $(or $(ADDR),127.0.0.1:9559) --device-id $(or $(DEVICE),1)

p4: .venv/ready ## compile p4src with the p4c on PATH
	$(PY) -m p4src.build

lint: .venv/ready ## style and types
	$(PY) -m ruff check . && $(PY) -m ruff format --check .
	$(PY) -m pip install --quiet pyright==1.1.414 && $(PY) -m pyright --pythonpath $(PY)

trace: .venv/ready ## make the demo's trace (topo/labs/demo.pcap) anew
	$(PY) -m topo.trace

bench: bench-switch bench-reaction bench-affinity bench-stages bench-fastloop bench-chain bench-steering bench-scale bench-restart ## everything that is measured, into bench/out/

bench-switch: .venv/ready ## the embedded switch beside its peers: packets, latency, ns, lookups, writes
	$(PY) -m bench.switch

bench-reaction: .venv/ready ## from an advert to the first packet by the new weight
	$(PY) -m bench.reaction

bench-affinity: .venv/ready ## sessions torn while weights change: TARGET=embedded or bmv2
	$(PY) -m bench.affinity --target $(TARGET)

bench-stages: .venv/ready ## what each stage costs; BEFORE=folder of an older compiled program to set beside
	$(PY) -m bench.stages $(if $(BEFORE),--before $(BEFORE))

bench-fastloop: .venv/ready ## a site slows down and no controller runs: how requests leave it
	$(PY) -m bench.fastloop

bench-chain: .venv/ready ## chains by the network and by the client; named inputs with PREFETCH and without
	$(PY) -m bench.chain

bench-steering: .venv/ready ## policies and their peers on the same workloads, simulated, with plots in docs/; a few points live
	$(PY) -m bench.steering
	$(PY) -m bench.steering --live --target $(TARGET)

bench-scale: .venv/ready ## ten thousand services, 16 routers: decisions, writes, advert to installed; a thousand agents
	$(PY) -m bench.scale

bench-restart: .venv/ready ## the controller killed a hundred times under traffic: what is lost, what is wrong
	$(PY) -m bench.restart

clean: ## forget the environments and all output
	rm -rf .venv .venv-ptf out bench/out build *.egg-info

.venv/ready: requirements.txt pyproject.toml scripts/venv.sh
	PYTHON=$(PYTHON) scripts/venv.sh .venv requirements.txt
	$(PY) -m pip install --quiet --no-deps --editable .
	@touch $@

.venv-ptf/ready: ptf_tests/requirements.txt scripts/venv.sh
	PYTHON=$(PYTHON) scripts/venv.sh .venv-ptf ptf_tests/requirements.txt
	@touch $@
