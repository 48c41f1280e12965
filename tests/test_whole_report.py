"""The whole report reads its export once, and says what the commands for its parts say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from conftest import ROOT

from compliance.jobs import audit, forecast, kpis, report
from compliance.jobs.asked import Asked, Export
from compliance.model import Tables
from compliance.records import loading

AGENCY = ROOT / "fixtures" / "agency"
ASKED = Asked(
    Export(AGENCY),
    date(2021, 9, 20),
    only=("case-review-overdue", "approval-review-overdue", "staff-references-incomplete", "supervision-unsigned"),
)
DAYS = 60


def test_the_export_is_read_once_and_no_part_disturbs_another(monkeypatch: pytest.MonkeyPatch) -> None:
    options = audit.Options(sample=2)
    with audit.audit(ASKED, options) as alone:
        findings, prompts, teams = list(alone.findings()), alone.prompts(), alone.teams()
    with forecast.forecast(ASKED, DAYS) as ahead:
        due = list(ahead.due())
    measured = kpis.kpis(ASKED)
    assert findings and due and measured.indicators

    read: list[object] = []
    load = loading.load_tables

    def load_and_count(*given: Any) -> Tables:
        read.append(given[1])
        return load(*given)

    monkeypatch.setattr(loading, "load_tables", load_and_count)
    with report.report(ASKED, options, DAYS) as whole:
        assert whole.audit is not None and whole.ahead is not None and whole.kpis is not None
        assert list(whole.audit.findings()) == findings
        assert whole.audit.rules == alone.rules
        assert (whole.audit.prompts(), whole.audit.teams()) == (prompts, teams)
        assert (list(whole.ahead.due()), whole.ahead.rules) == (due, ahead.rules)
        assert whole.kpis.indicators == measured.indicators
    assert read == [AGENCY]
