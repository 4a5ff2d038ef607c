# Two commands on a fresh machine: `make demo` and `make test`. All set-up happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .venv-demo
RUNS := .demo-cache/agentdojo-0.1.29.tar.gz

.PHONY: test check format bench-crash bench-import bench-scale bench-throughput demo demo-ready clean

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

bench-import: $(STAMP)
	$(BIN)/python -m benchmarks.import_time $(ARGS)

bench-throughput: $(STAMP)
	$(BIN)/python -m benchmarks.throughput $(ARGS)

bench-scale: $(STAMP)
	$(BIN)/python -m benchmarks.scale $(ARGS)

# What the demo needs stays out of .venv. Its recorded runs are fetched while its packages are installed.
demo:
	@$(MAKE) --no-print-directory -j2 demo-ready
	@$(DEMO)/bin/python -m demo $(ARGS)

demo-ready: $(DEMO)/.installed $(RUNS)
	@:

$(DEMO)/.made:
	@echo "setting up the demo in $(DEMO), the first time only"
	@$(PYTHON) -m venv $(DEMO)
	@touch $@

$(DEMO)/.installed: $(DEMO)/.made pyproject.toml demo/requirements.txt demo/agentdojo.txt
	@$(DEMO)/bin/python -m pip install -qq --disable-pip-version-check --editable . -r demo/requirements.txt
	@$(DEMO)/bin/python -m pip install -qq --disable-pip-version-check --no-deps -r demo/agentdojo.txt
	@touch $@

$(RUNS): | $(DEMO)/.made
	@$(DEMO)/bin/python -m demo.fetch

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .venv-peers .venv-demo benchmarks/results
