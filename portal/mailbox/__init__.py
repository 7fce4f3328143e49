"""Documents by e-mail (D1): an address per client, a small SMTP receiver, and mailboxes that are looked into by IMAP.

Whatever the way, a message is stored whole before its sender or the mailbox hears that it was taken; only then is it
opened, and each attachment enters by ``portal.intake`` like any other file.
"""
