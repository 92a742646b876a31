"""Reasons of DataStale: what has become of a request to forget posts."""

from tweetbot_contract.reasons.reason import Reason, ask_author

_AGAIN = "It is tried again by itself; for another try at once, give the annotation tweetbot.dev/forget-at a new value."

FORGET_PENDING = ask_author(
    "ForgetPending",
    "Posts are to be forgotten, and the served version may have learned from them. Once one without them is served, "
    "everything that holds them is erased.",
    "Nothing to do while a run is on its way; if the message says what holds it up, do what it says.",
    steady=True,
)
FORGETTING = Reason("Forgetting", "What holds the posts that are to be forgotten is being erased.", steady=True)
FORGET_INCOMPLETE = ask_author(
    "ForgetIncomplete",
    "Some of what holds the posts that are to be forgotten could not be erased; the message names it.",
    f"Do what the message says. {_AGAIN}",
    steady=True,
)
FORGET_OVERDUE = ask_author(
    "ForgetOverdue",
    "24 hours after posts were to be forgotten, something still holds them. X's terms give 24 hours.",
    "Do what the message says. If that takes long, stop serving the model, or delete the TweetBot with "
    "spec.deletionPolicy: Delete.",
    steady=True,
)
SERVED_HOLDS_POSTS = ask_author(
    "ServedHoldsPosts",
    "The served version learned from posts that are to be forgotten, so nothing was erased.",
    f"Let a run publish a version without them, or remove a spec.pin that holds the version. {_AGAIN}",
)
FORGOTTEN = Reason(
    "Forgotten",
    "Nothing that this TweetBot stored holds the posts any more.",
    "Nothing to do. Leave the posts in spec.filter.excludeIds: otherwise the next run learns from them again.",
    steady=True,
)
