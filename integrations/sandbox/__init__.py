"""Provider simulators for trials, the demo and tests: ``kontor sandbox`` or ``python -m integrations.sandbox``."""
