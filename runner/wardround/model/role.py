"""What a role would check: its tasks as they stand in its files, so that one that was not seen can be missed."""

from __future__ import annotations

from wardround.model.base import Model


class RoleTask(Model):
    """One task of a role's files. A probe only reads for later tasks and proves nothing by itself."""

    role: str
    name: str
    path: str
    """`roles/<role>/tasks/<component>.yml:<line>`"""
    tags: tuple[str, ...]
    action: str
    is_check: bool


class Role(Model):
    """A role with its tasks in order, its handlers' names and its public variables."""

    name: str
    tasks: tuple[RoleTask, ...]
    handlers: tuple[str, ...]
    variables: tuple[str, ...]

    @property
    def tags(self) -> frozenset[str]:
        """Give every tag that a task of the role carries."""
        return frozenset(tag for task in self.tasks for tag in task.tags)
