"""Shows how much of each budget is used. A series that would say nothing is removed."""

from collections.abc import Mapping

from tweetbot_operator.telemetry.metrics import BUDGET_USED

#: Class, namespace (empty where all share the budget), kind, hours of the window.
Labels = tuple[str, str, str, str]


class BudgetMetrics:
    """Replaces all series at once."""

    def __init__(self) -> None:
        self._shown: set[Labels] = set()

    def show(self, ratios: Mapping[Labels, float]) -> None:
        """Show these ratios of use to budget, and no others."""
        for labels in self._shown - ratios.keys():
            BUDGET_USED.remove(*labels)
        for labels, ratio in ratios.items():
            BUDGET_USED.labels(*labels).set(ratio)
        self._shown = set(ratios)
