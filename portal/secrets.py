"""Secrets at rest: encrypted with a rotatable key, never shown, logged or exported.

The key is KONTOR_SECRET_KEY: one or more base64 Fernet keys separated by commas; the first encrypts, all decrypt, so
that a key is rotated by putting the new one in front. Anything that is not a Fernet key is stretched to one by HKDF.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.errors import Unavailable


class Vault:
    """Encrypts and decrypts small JSON objects and signs text."""

    def __init__(self, keys: str) -> None:
        parts = [part.strip() for part in keys.split(",") if part.strip()]
        if not parts:
            raise ValueError("no secret key")
        self._fernet = MultiFernet([Fernet(_fernet_key(part)) for part in parts])
        self._signing = hashlib.sha256(b"kontor signing" + parts[-1].encode()).digest()

    def lock(self, content: Mapping[str, Any]) -> str:
        """Ciphertext of a JSON object, safe in a text column."""
        return self._fernet.encrypt(json.dumps(content).encode()).decode()

    def unlock(self, text: str) -> dict[str, Any]:
        """The object again; Unavailable when none of the keys made it."""
        try:
            content: dict[str, Any] = json.loads(self._fernet.decrypt(text.encode()))
        except InvalidToken as error:
            raise Unavailable("A stored secret cannot be read with the present secret key.") from error
        return content

    def rotated(self, text: str) -> str:
        """The same secret under the first key."""
        return self._fernet.rotate(text.encode()).decode()

    def digest(self, text: str) -> str:
        """A keyed digest (HMAC-SHA-256, hex) for looking up tokens without storing them."""
        return hmac.new(self._signing, text.encode(), hashlib.sha256).hexdigest()


def new_key() -> str:
    """A fresh Fernet key, as text."""
    return Fernet.generate_key().decode()


def _fernet_key(part: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(part)) == 32:
            return part.encode()
    except ValueError:
        pass
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"kontor", info=b"secrets at rest").derive(part.encode())
    return base64.urlsafe_b64encode(derived)
