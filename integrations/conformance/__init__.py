"""What every connector must pass, ours and third parties' alike.

A connector's test file inherits the checks of what it is and gives three fixtures::

    from integrations.conformance.checks import LedgerChecks

    class TestConformance(LedgerChecks):
        @pytest.fixture
        def sandbox(self): ...        # a Bench (``bench.py``): the provider's simulator, made to misbehave
        @pytest.fixture
        def connector(self, sandbox): ...      # wired with ``parts.MemoryTokens`` and ``parts.MemoryFacts``
        @pytest.fixture
        def other_account(self, sandbox): ...  # the same kind, another login with memory of its own

``python -m integrations.conformance KIND --tests FILE`` runs them and prints the result as JSON; ``--write`` keeps it
as ``conformance.json`` in the connector's folder, where the store reads it. Only ``checks`` imports pytest.
"""
