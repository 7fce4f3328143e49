"""Believable papers of firms that do not exist: invoices, e-invoices, receipts, bank statements. No database here."""
