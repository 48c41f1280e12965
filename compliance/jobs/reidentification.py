"""Reidentification: the ids that pseudonyms were made of."""

from __future__ import annotations

from collections.abc import Collection

from compliance.jobs.asked import Export
from compliance.jobs.opening import loaded
from compliance.privacy.pseudonyms import Key
from compliance.records import loading


def ids(export: Export, key: Key, pseudonyms: Collection[str]) -> dict[str, str]:
    """The ids of an export that these pseudonyms were made of with this key; those of other exports and keys are left out.

    Raises:
      ComplianceError: the mapping or the export cannot be used.
    """
    with loaded(export) as read:
        return loading.turned_back(read.con, read.tables, read.kinds, key.pads, pseudonyms)
