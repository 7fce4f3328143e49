"""A simulated Nextcloud, as far as its files are reached by WebDAV."""

from integrations.sandbox.webdav.provider import WebDav

__all__ = ["WebDav"]
