"""A simulated Nextcloud, as far as its files are reached by WebDAV.

Conditions, statuses, errors and headers are those of sabre/dav and of Nextcloud's developer manual; rclone works with
it. Control calls below ``/_control/webdav``: ``files``, ``change`` (delete, move, write as a person), ``password``,
``limit``, ``lock``. Not simulated: locks by clients, chunked uploads, the bin, shares, properties of one's own.
"""

from integrations.sandbox.webdav.provider import WebDav

__all__ = ["WebDav"]
