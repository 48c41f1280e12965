"""The command line: parses, calls the library, prints. The only package that prints, exits or looks at the clock.

Everything heavy is imported inside the command that needs it, so that `--help` is instant.
"""

from __future__ import annotations

import click

from compliance import __version__
from compliance.cli.audit import audit
from compliance.cli.ci import ci
from compliance.cli.data import data
from compliance.cli.demo import demo
from compliance.cli.forecast import forecast
from compliance.cli.kpi import kpi
from compliance.cli.plan import plan
from compliance.cli.plan_audit import measures, propose, verify
from compliance.cli.plan_report import report as plan_report
from compliance.cli.report import report
from compliance.cli.rules import rules
from compliance.cli.schemas import schemas_
from compliance.cli.terminal import Commands
from compliance.cli.waive import waive


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="compliance")
def main() -> None:
    """Checks a fostering service's records against the law, the standards and its own policy.

    \b
    compliance audit DATA --as-at 2021-09-20     what is breached, for whom, on what evidence
    compliance forecast DATA --as-at 2021-09-20  what falls due, for whom, and who answers for it
    compliance kpi DATA --as-at 2021-09-20       the KPIs against their targets and tolerances
    compliance report DATA --as-at DATE --out F  all of these on one page, to open in a browser
    compliance data check DATA                   whether an export can be read, before any rule runs
    compliance rules explain ID                  what a rule asks, in plain English
    """


for command in (audit, forecast, waive, kpi, demo, data, rules, schemas_, plan, report, ci):
    main.add_command(command)
for command in (propose, verify, measures, plan_report):
    plan.add_command(command)
