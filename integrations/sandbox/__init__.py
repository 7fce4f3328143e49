"""Provider simulators for trials, the demo and tests: ``kontor sandbox`` or ``python -m integrations.sandbox``.

Each speaks its provider's own HTTP below ``/<kind>``; ``GET /`` tells the base URLs as JSON (a browser gets a page
that leads to what arrived). Connectors reach them by base URL alone and do not know that they exist.

What makes them faithful: every reply is checked against the provider's published names and types; clients that nobody
here wrote work unchanged (python-quickbooks, intuit-oauth for Python and JavaScript, node-quickbooks;
Microsoft's msal and its Graph client for JavaScript, rclone's OneDrive backend;
google-api-python-client; Dropbox's own for Python, and rclone); requests are checked as strictly as replies and refused
with the published fault.

Remote control, JSON in and out, below ``/_control``:

| call | does |
|---|---|
| POST faults | ``{"provider", "script": ["ok:3", "commit-then-drop"], "match": "POST /bill"}``; steps: faults.py |
| POST faults | ``{"provider", "random": {"throttle": 0.02}, "seed": 7}``, ``{"provider", "latency": 0.2}`` |
| GET, DELETE faults | what is left; nothing goes wrong any more |
| GET, DELETE log | calls that arrived, also ``early`` ones (before a told wait was over); forget them |
| POST clock | ``{"advance": seconds}``: tokens, sessions and waits age without waiting |
| POST grant | ``{"provider", "account"}``: tokens without the consent page |
| POST apps, revoke, expire | register an OAuth app; end an account's grants; age one access token |
| GET, POST settings | switches for what the providers do not publish |
| POST onedrive/… | ``accounts``, ``limit``, ``files``, ``change`` as a person; what is not sure: onedrive/__init__.py |
| POST quickbooks/… | ``write`` and ``preferences`` as a person in QuickBooks, ``company``, ``webhook`` |

QuickBooks, where it is not sure (switch, or what was chosen): how long a requestid is remembered
(``requestid_kept_for``) and whether a repeat is answered or refused (``requestid_repeat_is_fault``); that inactive
names still block a display name; whether queries tell upper from lower case (``query_exact_case``); Retry-After, sent
only when a script names the seconds; which amount TaxInclusive lines are told in (TaxInclusiveAmt, else Amount, is
taken as gross); that invoices and bills with payments are neither deleted nor voided (6000); which file types are
refused, and with 6000; media type of a refused body (415, 1050); the XML form of answers, which follows the JSON.

What it cannot show: the automated American sales tax, real throttle timing, Intuit's review of an OAuth app, its real
consent page. Estimates, deposits, journal entries and the like are not simulated: queries find none, writing is 5030.
"""
