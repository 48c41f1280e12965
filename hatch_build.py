"""Writes into a wheel a digest of all that its plans are made of, so that nothing is listed or hashed when the program starts."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HAVE_A_SAY = ("compliance/**/*.py", "rules/**/*.yaml", "schemas/**/*.json", "schemas/**/*.yaml")
"""What changes the plan of an export: the program, the rules with their catalogues, record kinds and mappings."""


class Digest(BuildHookInterface):  # type: ignore[type-arg]  # generic in some versions of hatchling only
    """The file `shipped/digest`, which `compliance/jobs/kept.py` reads; an editable installation has none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before a wheel is built."""
        if version == "editable":
            return
        digest = hashlib.sha256()
        root = Path(self.root)
        for path in sorted(path for pattern in HAVE_A_SAY for path in root.glob(pattern)):
            digest.update(f"{path.relative_to(root).as_posix()} {path.stat().st_size} ".encode())
            digest.update(path.read_bytes())
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "digest"
        file.write_text(digest.hexdigest(), encoding="ascii")
        build_data["force_include"][str(file)] = "compliance/shipped/digest"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """When it has been built."""
        if version != "editable":
            self._folder.cleanup()
