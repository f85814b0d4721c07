# `make install` once, then `make lint test` before every commit. PYTHON chooses the interpreter.
PYTHON ?= python

.PHONY: install lint test test-all serve benchmark

install: ## everything that the page, training, the Ray engine, Dlib and the tests need
	$(PYTHON) -m pip install -r requirements.txt -r requirements-ray.txt -r requirements-dlib.txt -r tests/requirements.txt -c constraints.txt
	$(PYTHON) -m pip check

lint: ## formatting, common mistakes, types
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

test: ## the fast tests
	$(PYTHON) -m pytest

test-all: ## all tests but the attacks
	$(PYTHON) -m pytest -m "not attack"

serve: ## the page on http://127.0.0.1:7860
	$(PYTHON) app.py

benchmark: ## search speed; see `python -m benchmarks --help` for the others
	$(PYTHON) -m benchmarks search
