"""What ``kontor verify`` may find: one thing that does not hold, with a sentence that says what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from portal.i18n import N_


@dataclass(frozen=True)
class Problem:
    """One thing that does not hold; ``text`` and ``facts`` say what and what to do."""

    client_id: UUID | None
    instance_id: UUID | None
    document_id: UUID | None
    text: str
    facts: Mapping[str, object]


NO_ROW = N_("A document has no delivery at this integration although it should.")
NO_RECEIPT = N_("A delivery says “delivered” but there is no receipt for it.")
NO_ATTEMPT = N_("A delivery says “delivered” but no attempt brought it there.")
NO_WAY = N_("A delivery is “%(state)s”, but its attempts do not lead there.")
NOT_ASKED = N_("A delivery says that somebody asked for it, but the audit trail knows of nobody.")
CONSENT_CHANGED = N_("A consent is not as the audit trail recorded it.")
CONSENT_LOST = N_("The audit trail recorded a consent that is gone.")
INSTANCE_LOST = N_("The audit trail recorded an integration that is gone.")
NO_DELIVERY = N_("There is a receipt but no delivery that it belongs to.")
TOO_EARLY = N_("A document was sent although it arrived before the integration was activated.")
WRONG_STATE = N_("A delivery is “%(state)s” although it should be “%(expected)s”.")
NOT_IN_AUDIT = N_("A receipt is not as the audit trail recorded it.")
RECEIPT_LOST = N_("The audit trail recorded a delivery whose receipt is gone.")
DOCUMENT_LOST = N_("The audit trail recorded a document that is gone.")
DOCUMENT_CHANGED = N_("A document is not as the audit trail recorded its arrival.")
FACTS_CHANGED = N_("What is known of a document is not what its last version says.")
INSTANCE_CHANGED = N_("An integration's “%(what)s” is not as the audit trail recorded it.")
CHAIN_BROKEN = N_("The audit trail was changed at entry %(number)s.")
ROW_DELETED = N_("A row of the table “%(table)s” was deleted by hand: %(row)s.")
