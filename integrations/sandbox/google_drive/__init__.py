"""Google Drive API v3, simulated from its published discovery document."""

from integrations.sandbox.google_drive.provider import GoogleDrive

__all__ = ["GoogleDrive"]
