"""Where a person looks at a file: dropbox.com shows what lies at a path; the API tells no address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from integrations.dropbox.client import Entry


@dataclass(frozen=True)
class Links:
    """``base`` is dropbox.com/home; ``app_folder`` the app folder's name, empty when the app sees the whole Dropbox."""

    base: str
    app_folder: str = ""

    def of(self, entry: Entry) -> str:
        """The page of a folder, or of the file within its folder."""
        top = f"/Apps/{self.app_folder}" if self.app_folder else ""
        if entry.folder:
            return f"{self.base}{quote(top + entry.path)}"
        return f"{self.base}{quote(top + entry.parent)}?preview={quote(entry.name, safe='')}"
