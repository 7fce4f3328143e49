"""OneDrive over Microsoft Graph v1.0, simulated from its published metadata: personal and company accounts.

Where it is not sure (a switch, or what was chosen): whether a taken name is told when an upload session begins or at
its last piece (``conflict_at_start``); whether a token sent to a session's address is refused
(``session_refuses_token``: Microsoft's words are "may result in 401"); which hashes a personal drive tells besides
quickXorHash (``tells_sha``); what exactly SharePoint adds to files that it stores (``alters_files`` adds a few bytes
to every one); the codes of a path that is too long; how long a session lives (``session_hours``); that a throttled
answer is 429 (``throttle_status``). The token endpoint gives no ``id_token``, and delta, search, sharing, versions,
restore and copy are not simulated (501).

What it cannot show: Microsoft's consent page with an administrator's approval, conditional access, real throttling.
"""

from integrations.sandbox.onedrive.provider import OneDrive

__all__ = ["OneDrive"]
