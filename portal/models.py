"""Every table, imported in one place: for migrations and for anything that creates a schema."""

from __future__ import annotations

import portal.accounts.models
import portal.api.models
import portal.audit
import portal.banking.models
import portal.clients.models
import portal.connections.models
import portal.delivery.models
import portal.documents.models
import portal.extensions.models
import portal.instances.models
import portal.mailbox.models
import portal.notices.models
import portal.processing.models
import portal.traces  # noqa: F401
