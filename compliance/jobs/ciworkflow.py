"""The workflow that audits the export in a repository, for GitHub Actions and GitLab CI. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

from compliance import __version__
from compliance.errors import ComplianceError

Provider = Literal["github", "gitlab"]
FILES: Mapping[Provider, str] = {"github": ".github/workflows/compliance.yml", "gitlab": ".gitlab-ci.yml"}

GITHUB = """\
# Audits the export on every change and every night, as at the day of the run.
name: Compliance
on:
  push:
    branches: [main]
  pull_request:
  schedule:
    - cron: "17 3 * * *"
permissions:
  contents: read
jobs:
  audit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: {source}
        with:
          data: {data}
          fail-on: requirement
          # What everyone who can read the repository can read:
          summary: "true"
          # Fail on what is new only; write the file with: compliance audit EXPORT --as-at DATE --format json --out baseline.json
          # baseline: baseline.json
          # Upload to code scanning; needs "security-events: write" under permissions:
          # upload-sarif: "true"
"""

GITLAB = """\
# Audits the export on every change, as at the day of the run; add a pipeline schedule for every night.
compliance:
  image: python:3.13
  variables:
    COMPLIANCE_SOURCE: {source}
    COMPLIANCE_DATA: {data}
  script:
    - pip install --quiet "$COMPLIANCE_SOURCE"
    # Fail on what is new only: add --baseline baseline.json
    - >-
      compliance audit --as-at "$(date +%F)" --fail-on requirement
      --also gitlab=gl-code-quality-report.json --also junit=compliance.xml -- "$COMPLIANCE_DATA"
  artifacts:
    when: always
    # They hold findings about children's records.
    public: false
    expire_in: 1 week
    reports:
      codequality: gl-code-quality-report.json
      junit: compliance.xml
"""

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
REQUIREMENT = re.compile(r"[^\s'\"]+")


def workflow(provider: Provider, source: str, data: str) -> str:
    """The text of the workflow.

    Args:
      source: where this program comes from: for GitHub a repository, as OWNER/NAME or OWNER/NAME@REF; for GitLab what pip installs.
      data: the export, from the root of the repository on.

    Raises:
      ComplianceError: one of them cannot stand in a workflow.
    """
    path = PurePosixPath(data)
    if path.is_absolute() or ".." in path.parts or not data.isprintable() or "${{" in data:
        raise ComplianceError(
            f"'{data}' is no path in a repository; name the export from its root on, such as exports/2026."
        )
    if provider == "github":
        if not REPOSITORY.fullmatch(source):
            said = "name the repository that this program is in, such as owner/compliance@v1"
            raise ComplianceError(f"'{source}' is no repository on GitHub; {said}.")
        source = source if "@" in source else f"{source}@v{__version__}"
        return GITHUB.format(source=source, data=json.dumps(data, ensure_ascii=False))
    if not REQUIREMENT.fullmatch(source):
        said = "such as git+https://gitlab.example/owner/compliance.git@v1"
        raise ComplianceError(f"'{source}' is nothing that pip installs; name where this program is, {said}.")
    # GitLab would take a dollar sign for a variable.
    said_source, said_data = (json.dumps(x.replace("$", "$$"), ensure_ascii=False) for x in (source, data))
    return GITLAB.format(source=said_source, data=said_data)
