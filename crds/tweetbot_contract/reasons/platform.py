"""Reasons that a TweetBotClass gives: what the platform decided."""

from tweetbot_contract.reasons.reason import Reason, ask_author, ask_platform

CLASS_NOT_FOUND = ask_author(
    "ClassNotFound",
    "spec.className names a TweetBotClass that does not exist, or that the operator may not read.",
    "Correct spec.className: kubectl get tweetbotclasses lists them. An operator of some namespaces needs a "
    "ClusterRole to read them. The run begins once the class is there.",
)
CLASS_INVALID = ask_platform(
    "ClassInvalid",
    "The TweetBotClass breaks a rule, so no run can begin with it.",
    "Correct the field of the class that the message names. The run then begins by itself.",
)
FORBIDDEN_BY_CLASS = ask_author(
    "ForbiddenByClass",
    "The TweetBotClass does not allow what the spec asks for.",
    "Change the field that the message names, or ask the platform team for another class.",
)
BUDGET_EXCEEDED = Reason(
    "BudgetExceeded",
    "The budget of the TweetBotClass is used up, so the run waits.",
    "The run begins by itself when it fits, at the latest at that time. The platform team can raise the budget.",
    steady=True,
)
BUDGET_TOO_SMALL = ask_platform(
    "BudgetTooSmall",
    "The run is expected to use more than the whole budget of the TweetBotClass.",
    "Have the platform team raise the budget, or make the run smaller: a smaller base, fewer steps, no GPU. It then "
    "begins by itself.",
)
CLASS_REASONS = frozenset(
    each.name for each in (CLASS_NOT_FOUND, CLASS_INVALID, FORBIDDEN_BY_CLASS, BUDGET_EXCEEDED, BUDGET_TOO_SMALL)
)
