# Words for people: run, test, check, bench, lab, new, zoo, gallery, coverage-of-ledger, shots.
PYTHON ?= python3
PORT ?= 8501
HOST ?= 127.0.0.1
BIN := .venv/bin

.PHONY: run test check bench lab new zoo gallery coverage-of-ledger frontend shots clean

run: .venv/.product
	@$(BIN)/python tools/frontend.py
	@PORT=$(PORT) HOST=$(HOST) $(BIN)/python app.py

test: .venv/.developer
	@$(BIN)/python tools/frontend.py --check
	@$(BIN)/python tools/browser.py
	@$(MAKE) --no-print-directory check
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(or $(JOBS),2) --dist loadgroup

check: .venv/.developer
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache > .cache/lint-imports.log 2>&1 || (cat .cache/lint-imports.log; false)

bench: .venv/.developer
	@OMP_NUM_THREADS=1 $(BIN)/python -m tools.bench

lab: .venv/.product
	@$(BIN)/python -m demos run $(id)

new: .venv/.product
	@$(BIN)/python -m tools.new_lab $(id)

zoo: .venv/.product
	@OMP_NUM_THREADS=1 $(BIN)/python -m tools.zoo $(NAMES)

gallery: .venv/.product
	@$(BIN)/python -m tools.gallery

coverage-of-ledger: .venv/.product
	@$(BIN)/python -m tools.coverage_of_ledger

frontend: .venv/.product
	@$(BIN)/python tools/frontend.py --force

shots: .venv/.developer
	@$(BIN)/python -m pytest -q -n 0 tests/browser/test_journey.py

.venv/.product: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what the playground needs into .venv (once; a few minutes)."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@mkdir -p .cache && touch $@

.venv/.developer: requirements-dev.txt .venv/.product
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .cache ui/frontend/dist ui/frontend/node_modules
