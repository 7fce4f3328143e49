"""Simulator of the QuickBooks Online Accounting API v3."""

from integrations.sandbox.quickbooks.simulator import QuickBooks

__all__ = ["QuickBooks"]
