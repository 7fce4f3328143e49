"""Dropbox API v2, simulated: tagged unions and all, checked against the validators of Dropbox's own SDK.

Not sure, and so a switch or a choice: what writing below the id of a deleted folder is called (``unknown_id``; Dropbox
answers malformed_path for ids that never were); whether a recursive listing names the folder itself first
(``lists_itself``); whether an argument's header may hold raw UTF-8, as older rclones send it (``utf8_header``); the
tag of a rename onto the same path (duplicated_or_nested_paths); that a person's «restore» keeps the id; that an app
folder's app may send a path root and nothing changes; the wait of write contention; the names that are refused (those
of the help centre's list of files that never synchronise). Sharing, file requests, Paper, search, thumbnails and
property groups are not simulated; nor is the real length of any wait, or Dropbox's review of an app.
"""

from integrations.sandbox.dropbox.provider import Dropbox

__all__ = ["Dropbox"]
