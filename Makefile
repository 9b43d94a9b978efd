# make demo    the main job on a release made on the spot: programs, Python packages, and run
# make test    all tests, and what they need
# make check   format, lint, types and layers only
# make rpm     packages for Enterprise Linux 5 to 9: DIST=el5 ARCH=i386 for one, SIGN=KEYID to sign
# make bench   this project and its peers on the same work
# make clean   remove what the others made

VENV := .venv
BIN := $(VENV)/bin
JOBS := $(shell nproc 2>/dev/null || echo 2)
# An environment is good for one pyproject.toml in one place: its scripts hold their own path.
KEY := $(shell { cat pyproject.toml; pwd; } | sha256sum | cut -c 1-12)
# One whose Python is gone is good for nothing.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -rf $(VENV))

.PHONY: demo test check rpm bench clean programs-demo programs-test programs-rpm programs-bench

demo: programs-demo $(VENV)/demo-$(KEY)
	$(BIN)/release-builder demo --dir build/demo

test: programs-test $(VENV)/test-$(KEY)
	$(BIN)/python -m pytest -m "" -n $(JOBS)

check: $(VENV)/test-$(KEY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

rpm: programs-rpm $(VENV)/test-$(KEY)
	$(BIN)/python -m rpm.packages $(DIST:%=--dist %) $(ARCH:%=--arch %) $(SIGN:%=--sign %)

bench: programs-bench $(VENV)/test-$(KEY)
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) build dist rpm/dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

programs-demo programs-test programs-rpm programs-bench:
	@.ci/programs $(@:programs-%=%)

$(VENV)/demo-$(KEY): WHAT = .
$(VENV)/test-$(KEY): WHAT = .[test]
$(VENV)/%-$(KEY): | programs-%
	@echo "installing $(WHAT) with its Python packages into $(VENV)"
	@python=$$(.ci/programs python) && "$$python" -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check --editable '$(WHAT)'
	@touch $@
