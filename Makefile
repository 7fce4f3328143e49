# Everything by which Kontor is started, tested and measured. `make` alone tells what there is.
PYTHON ?= python3
KONTOR  = .venv/bin/kontor
RUN     = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo run test check bench soak conformance lock setup setup-test

help:
	@echo "make demo         a sample firm with simulated providers; RESET=1 starts anew"
	@echo "make run          Kontor for a real firm; the first visit leads through set-up"
	@echo "make test         all tests, on SQLite and on PostgreSQL"
	@echo "make check        style, types, imports, duplicates, sizes, leftovers"
	@echo "make bench        the figures, each beside its anchor"
	@echo "make soak         long tests with kills and faults; SEED=n repeats one, KONTOR_SOAK_SECONDS=n"
	@echo "make conformance  what every connector must pass"
	@echo "make lock         resolve the dependencies anew"

setup:
	@$(PYTHON) scripts/setup.py run

setup-test:
	@$(PYTHON) scripts/setup.py test

demo: setup
	@exec $(KONTOR) demo --with-parent $(if $(RESET),--reset)

run: setup
	@exec $(KONTOR) up --with-parent

test: setup-test
	@exec $(RUN) scripts/test.py

check: setup-test
	@exec $(RUN) scripts/check.py

bench: setup-test
	@exec $(RUN) -m benchmarks

soak: setup-test
	@exec $(RUN) scripts/test.py --soak $(if $(SEED),--seed $(SEED))

conformance: setup-test
	@exec $(RUN) -m pytest tests/integrations -k conformance

lock: setup-test
	@exec $(RUN) scripts/lock.py
