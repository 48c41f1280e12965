"""Every figure that the law leaves to judgement can be looked up: its value, whose it is, and which rules use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Cli = Callable[..., Result]


def test_every_figure_is_listed_with_the_rules_that_use_it(cli: Cli) -> None:
    listed = {f["name"]: f for f in json.loads(cli("rules", "figures", "--format", "json").stdout)}
    assert listed["allegation_referral"]["rules"] == ["allegation-not-referred-promptly", "allegation-referred-late"]
    assert listed["allegation_referral"]["value"] == "1 working day" and not listed["allegation_referral"]["local"]
    assert "from 1 April 2018" in listed["authorised_limit"]["value"]
    assert not [name for name, f in listed.items() if not (f["value"] and f["basis"] and f["source"])]


def test_an_agencys_own_figure_is_told_as_its_own(cli: Cli, tmp_path: Path) -> None:
    own = tmp_path / "parameters.yaml"
    own.write_text("source: Our handbook 3.2\nparameters: {agreement_outstanding: 14 days}\n", encoding="utf-8")
    listed = json.loads(cli("rules", "figures", "--parameters", own, "--format", "json").stdout)
    (figure,) = (f for f in listed if f["name"] == "agreement_outstanding")
    assert (figure["value"], figure["source"], figure["local"]) == ("14 days", "Our handbook 3.2", True)
    told = " ".join(cli("rules", "figures", "--parameters", own).stdout.split())
    assert "14 days" in told and f"{len(listed):,} figures." in told
