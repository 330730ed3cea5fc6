# SPDX-License-Identifier: GPL-3.0-or-later
"""Mitogen's linear strategy, on every core of the control node."""

from __future__ import annotations

DOCUMENTATION = """
name: wardround_linear
short_description: Mitogen's linear strategy, on every core of the control node
description:
  - Mitogen ties its processes to cores. On a machine with two, that leaves one of them to every worker and everything
    that a worker starts, while the other idles.
"""

import ansible_mitogen.affinity
from ansible.plugins.strategy.linear import StrategyModule as Linear
from ansible_mitogen.strategy import StrategyMixin

ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()


class StrategyModule(StrategyMixin, Linear):
    """Runs hosts in lockstep, with one interpreter a host."""
