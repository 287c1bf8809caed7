"""The `tests:` inside rules and playbooks to what is wrong with them, one sentence each; none = they hold."""

from __future__ import annotations

from pipeline.rehearse.notation import labels, values
from pipeline.rehearse.playbooks import act, playbook
from pipeline.rehearse.rules import rules

__all__ = ["act", "labels", "playbook", "rules", "values"]
