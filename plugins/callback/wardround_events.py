# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each task did on each host as JSON lines, for wardround to judge."""

from __future__ import annotations

DOCUMENTATION = """
name: wardround_events
type: notification
short_description: Writes task results as JSON lines
description:
  - One line a task result (and one a loop item), with why a task was skipped, which Ansible's own displays leave out.
  - Results of tasks with C(no_log) carry no arguments, no diff and no message.
options:
  events_file:
    description: The file to append to; nothing is written where it is not set.
    type: path
    env: [{name: WARDROUND_EVENTS}]
"""

import json
from collections import deque
from typing import Any

from ansible.playbook.handler import Handler
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader, filter_loader, test_loader

TEXT_LIMIT = 65536
RESOURCE_LIMIT = 200
ELSEWHERE = "the host that this was delegated to did not answer"
RESOURCE_KEYS = ("dest", "path", "name", "unit", "src")


def _clip(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "\n… clipped\n"


def _header(value: object) -> str:
    # The control node's own temporary file says nothing about the host, and is another one each time.
    text = str(value or "")
    return "" if "/ansible-local-" in text else text


def _sides(entry: dict[str, Any]) -> dict[str, str]:
    if "prepared" in entry:
        return {"prepared": _clip(entry["prepared"])}
    return {
        "before": _clip(entry.get("before") or ""),
        "after": _clip(entry.get("after") or ""),
        "before_header": _header(entry.get("before_header")),
        "after_header": _header(entry.get("after_header")),
    }


def _diffs(result: dict[str, Any]) -> list[dict[str, str]]:
    diff = result.get("diff") or []
    entries = diff if isinstance(diff, list) else [diff]
    return [_sides(entry) for entry in entries if isinstance(entry, dict)]


def _resource(result: dict[str, Any]) -> str:
    arguments = (result.get("invocation") or {}).get("module_args") or {}
    for key in RESOURCE_KEYS:
        value = arguments.get(key) or result.get(key)
        if value:
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            return text.partition("\n")[0][:RESOURCE_LIMIT]
    return ""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "wardround_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file: Any = None

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        path = self.get_option("events_file")
        if path:
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open for as long as the playbook runs

    def _write(self, event: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(event, default=str) + "\n")
            self._file.flush()

    def _emit(self, outcome: str, result: Any, *, item: bool = False, reason: str = "") -> None:
        task, data = result.task, result.result
        hidden = bool(data.get("_ansible_no_log") or data.get("censored") or task.no_log)
        module = (data.get("invocation") or {}).get("module_args") if not hidden else None
        self._write(
            {
                "outcome": outcome,
                "host": result.host.get_name(),
                "role": task._role.get_name() if task._role else "",  # noqa: SLF001 - Ansible offers no other way
                "task": task.get_name(include_role_fqcn=False).split(" : ", 1)[-1],
                "path": task.get_path() or "",
                "tags": sorted(set(task.tags) - {"always"}),
                "action": task.action,
                "handler": isinstance(task, Handler),
                "item": item,
                "looped": bool(task.loop or task.loop_with),
                "label": str(data.get("_ansible_item_label", ""))[:RESOURCE_LIMIT] if item and not hidden else "",
                "changed": bool(data.get("changed")),
                "check_mode": bool(task.check_mode),
                "skip_reason": reason or str(data.get("skip_reason") or data.get("skipped_reason") or ""),
                "condition": str(data.get("false_condition") or ""),
                "resource": "" if hidden or module is None else _resource(data),
                "message": "hidden (no_log)" if hidden else _clip(data.get("msg") or ""),
                "diff": [] if hidden else _diffs(data),
                "witness": (data.get("ansible_facts") or {}).get("wardround_witness") if not hidden else None,
            }
        )

    def v2_playbook_on_start(self, playbook: Any) -> None:
        # A worker is forked for every task on every host, and imports again whatever its parent had not imported yet.
        for plugins in (filter_loader.all(), test_loader.all(), action_loader.all(class_only=True)):
            deque(plugins, maxlen=0)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._write({"outcome": "task", "task": task.get_name(include_role_fqcn=False).split(" : ", 1)[-1]})

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._write({"outcome": "start", "host": host.get_name(), "task": task.get_name(include_role_fqcn=False)})

    def v2_runner_on_ok(self, result: Any) -> None:
        self._emit("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._emit("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._emit("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        # Ansible blames the host at work when the one that it delegated to did not answer.
        elsewhere = bool(result.task.delegate_to or result.task.ignore_unreachable)
        self._emit("skipped" if elsewhere else "unreachable", result, reason=ELSEWHERE if elsewhere else "")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._emit("ok", result, item=True)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._emit("failed", result, item=True)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._emit("skipped", result, item=True)

    def v2_playbook_on_notify(self, handler: Any, host: Any) -> None:
        self._write({"outcome": "notified", "host": host.get_name(), "task": handler.get_name()})

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"outcome": "end", "hosts": sorted(stats.processed)})
