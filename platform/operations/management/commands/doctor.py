"""`manage.py doctor`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from operations.doctor import Finding, examine


class Command(BaseCommand):
    """Thin: the work is in `operations.doctor`."""

    help = "Try everything that Plumbline needs: a tick or a cross for each, and how to fix it. Exit 1 with a cross."
    requires_system_checks = ()  # they are among its findings

    def handle(self, *args: Any, **options: Any) -> None:
        crosses = 0
        for finding in examine():
            crosses += finding.mark == "wrong"
            self._show(finding)
        if crosses:
            self.stdout.write(_("%(count)s to fix.") % {"count": crosses})
            sys.exit(1)
        self.stdout.write(_("All is well."))

    def _show(self, finding: Finding) -> None:
        style = {"well": self.style.SUCCESS, "wrong": self.style.ERROR, "note": self.style.NOTICE}[finding.mark]
        sign = {"well": "✓", "wrong": "✗", "note": "·"}[finding.mark]
        self.stdout.write(f"{style(self._shown(sign))} {finding.what}")
        if finding.fix:
            self.stdout.write(f"    {_('Fix:') if finding.mark == 'wrong' else _('Consider:')} {finding.fix}")

    def _shown(self, sign: str) -> str:
        """The sign, or a letter where the terminal can't show it."""
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        try:
            sign.encode(encoding)
        except UnicodeEncodeError:
            return {"✓": "+", "✗": "x"}.get(sign, "-")
        return sign
