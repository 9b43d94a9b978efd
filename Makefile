# make demo    the main job on a release made on the spot: programs, Python packages, and run
# make test    all tests, and what they need
# make check   format, lint, types and layers only
# make rpm     packages for Enterprise Linux 5 to 9: DIST=el5 ARCH=i386 for one, SIGN=KEYID to sign
# make bench   this project and its peers on the same work
# make lock    newer Python packages into .ci/locked, by their digests; look at the difference
# make audit   ask whether the locked Python packages have known holes: needs the internet
# make clean   remove what the others made

VENV := .venv
BIN := $(VENV)/bin
JOBS := $(shell nproc 2>/dev/null || echo 2)
# An environment is good for one set of packages in one place: its scripts hold their own path.
KEY := $(shell { cat pyproject.toml .ci/locked/*; pwd; } | sha256sum | cut -c 1-12)
# One whose Python is gone is good for nothing.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -rf $(VENV))

.PHONY: demo test check rpm bench lock audit clean programs-demo programs-test programs-rpm programs-bench

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

lock: $(VENV)/tools-$(KEY)
	@for what in demo test tools; do \
		case $$what in \
			demo) printf 'hatchling\neditables' ;; \
			test) printf 'hatchling\neditables\n.[test]' ;; \
			tools) printf 'uv\npip-audit' ;; \
		esac | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-annotate --no-header --no-emit-index-url --no-emit-package release-builder \
			$$([ $$what = tools ] || echo pyproject.toml) - -o .ci/locked/$$what.txt || exit; \
	done

audit: $(VENV)/tools-$(KEY)
	for what in .ci/locked/*.txt rpm/bundled.txt; do \
		$(BIN)/pip-audit --strict --disable-pip --requirement $$what || exit; \
	done

clean:
	rm -rf $(VENV) build dist rpm/dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

programs-demo programs-test programs-rpm programs-bench:
	@.ci/programs $(@:programs-%=%)

PIP := $(BIN)/pip install -qq --disable-pip-version-check
$(VENV)/tools-$(KEY): $(VENV)/test-$(KEY)
	@$(PIP) --require-hashes --requirement .ci/locked/tools.txt
	@touch $@

$(VENV)/%-$(KEY): | programs-%
	@echo "installing release-builder and the packages of .ci/locked/$*.txt into $(VENV)"
	@python=$$(.ci/programs python) && "$$python" -m venv $(VENV)
	@$(PIP) --require-hashes --requirement .ci/locked/$*.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
