"""The checks of a questionnaire file."""

from __future__ import annotations

from pathlib import Path

import yaml

from questionnaires.definition import Questionnaire


def read_questionnaire(path: Path) -> Questionnaire:
    """Read and check a definition file."""
    return Questionnaire.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
