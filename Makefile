# Two commands on a fresh machine: `make demo` and `make test`. All set-up happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .venv-demo
REPLAY := .venv-replay
RUNS := .replay-cache/agentdojo-0.1.29.tar.gz

.PHONY: test check format bench-adapters bench-agentdojo bench-claims bench-crash bench-detectors bench-guardian \
	bench-import bench-limits bench-mcp bench-proofs bench-provenance bench-replay bench-scale bench-tau \
	bench-throughput bench-undo demo demo-replay demo-versus replay-ready clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(STAMP)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench-crash: $(STAMP)
	$(BIN)/python -m benchmarks.crash $(ARGS)

# It sets up the frameworks in .venv-peers, and runs there.
bench-adapters:
	@$(PYTHON) -m benchmarks.adapters $(ARGS)

bench-guardian: $(STAMP)
	$(BIN)/python -m benchmarks.guardian $(ARGS)

bench-proofs: $(STAMP)
	$(BIN)/python -m benchmarks.proofs $(ARGS)

bench-provenance: $(STAMP)
	$(BIN)/python -m benchmarks.provenance $(ARGS)

# DATA is a folder with attack_steps.jsonl.gz; without it one figure is left out.
bench-agentdojo:
	@$(MAKE) --no-print-directory -j2 replay-ready
	@$(REPLAY)/bin/python -m benchmarks.agentdojo $(if $(DATA),--data $(DATA)) $(ARGS)

# The published runs; DATA may be a folder with an airline's trajectories beside them.
bench-claims: replay-ready
	@$(REPLAY)/bin/python -m benchmarks.claims $(RUNS) $(DATA) $(ARGS)

bench-detectors: replay-ready
	@$(REPLAY)/bin/python -m benchmarks.detectors $(ARGS)

bench-limits: $(STAMP)
	$(BIN)/python -m benchmarks.limits $(ARGS)

bench-import: $(STAMP)
	$(BIN)/python -m benchmarks.import_time $(ARGS)

bench-mcp: $(STAMP)
	$(BIN)/python -m benchmarks.mcp $(ARGS)

# DATA is a folder with db/ and trajectories; they are not part of the project.
bench-tau: $(STAMP)
	@$(BIN)/python -m benchmarks.tau $(DATA) $(ARGS)

bench-throughput: $(STAMP)
	$(BIN)/python -m benchmarks.throughput $(ARGS)

# Services get an environment of their own, .venv-undo; DATA is a folder with an airline's trajectories.
bench-undo: $(STAMP) $(REPLAY)/.installed
	@$(BIN)/python -m benchmarks.undo $(if $(DATA),--data $(DATA)) $(ARGS)

bench-scale: $(STAMP)
	$(BIN)/python -m benchmarks.scale $(ARGS)

# The demo needs the package and nothing else: a venv of its own is there in seconds.
demo: $(DEMO)/.installed
	@$(DEMO)/bin/python -m demo $(ARGS)

$(DEMO)/.installed: pyproject.toml
	@echo "setting up the demo in $(DEMO), the first time only"
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

bench-replay:
	@$(MAKE) --no-print-directory -j2 replay-ready
	@$(REPLAY)/bin/python -m benchmarks.replay $(ARGS)

demo-replay:
	@$(MAKE) --no-print-directory -j2 replay-ready
	@$(REPLAY)/bin/python -m benchmarks.replay.show $(ARGS)

demo-versus:
	@$(PYTHON) -m benchmarks.adapters.versus $(ARGS)

# What the recorded runs need stays out of .venv. They are fetched while the packages are installed.
replay-ready: $(REPLAY)/.installed $(RUNS)
	@:

$(REPLAY)/.made:
	@echo "setting up $(REPLAY), the first time only"
	@$(PYTHON) -m venv $(REPLAY)
	@touch $@

$(REPLAY)/.installed: $(REPLAY)/.made pyproject.toml benchmarks/replay/requirements.txt benchmarks/replay/agentdojo.txt
	@$(REPLAY)/bin/python -m pip install -qq --disable-pip-version-check --editable . -r benchmarks/replay/requirements.txt
	@$(REPLAY)/bin/python -m pip install -qq --disable-pip-version-check --no-deps -r benchmarks/replay/agentdojo.txt
	@touch $@

$(RUNS): | $(REPLAY)/.made
	@$(REPLAY)/bin/python -m benchmarks.replay.fetch

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .venv-guardian-peers .venv-newest .venv-peers $(DEMO) $(REPLAY) .venv-undo .mcp-cache benchmarks/results
