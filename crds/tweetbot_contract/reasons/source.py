"""Reasons that the trainer gives for its sources: what is wrong with a file, an account or an answer."""

from tweetbot_contract.reasons.reason import RETRAIN, Reason, ask_author

SOURCE_NOT_FOUND = ask_author(
    "SourceNotFound",
    "A source's file does not exist.",
    f"Upload it and {RETRAIN}, or correct the field that the message names.",
)
SOURCE_UNREADABLE = ask_author(
    "SourceUnreadable",
    "A source's file is not in the expected format.",
    "Upload the file as it was downloaded; the message names the member or line.",
)
SOURCE_TOO_LARGE = ask_author(
    "SourceTooLarge", "A source unpacks to too much, as a zip bomb does.", "Upload the export as it was downloaded."
)
SOURCE_TRUNCATED = ask_author(
    "SourceTruncated",
    "A source's archive is incomplete: it ends too early.",
    f"Compare its size with what you downloaded, upload it whole, then {RETRAIN}.",
)
SOURCE_ENCRYPTED = ask_author(
    "SourceEncrypted",
    "A source's archive is protected by a password.",
    "Unpack it and pack it again without a password, or upload the export as it was downloaded.",
)
SOURCE_NESTED = ask_author(
    "SourceNested",
    "A source's archive contains another archive instead of posts.",
    "Upload the inner archive itself; the message names it.",
)
SOURCE_INCOMPLETE = ask_author(
    "SourceIncomplete",
    "A source's archive lacks a part of the export.",
    "Put all parts into one zip; the message names them.",
)
SOURCE_NOT_AN_EXPORT = ask_author(
    "SourceNotAnExport",
    "A source's archive contains no posts.",
    "Upload the export as it was downloaded, or use the kind of source that fits the file.",
)
SOURCE_IRREGULAR = ask_author(
    "SourceIrregular",
    "A source is not quite as its origin makes it: files that its own list does not name, or lists that name too many. "
    "It was read nevertheless.",
    "Compare the numbers in status.data with what you expect; the message says what is odd.",
)
POSTS_MISSING = ask_author(
    "PostsMissing",
    "A source holds fewer posts than it says. Above spec.sources[].maxMissingPercent (5 if unset) the run fails.",
    "Give the whole source; if it is whole, set spec.sources[].maxMissingPercent to what the message says.",
)
STATEMENT_CONTRADICTED = ask_author(
    "StatementContradicted",
    "A source contradicts what spec.subject says of it. The model card leaves the statement out.",
    "Correct the field that the message names, or give the source that it speaks of.",
)
POSTS_UNREADABLE = ask_author(
    "PostsUnreadable",
    "Some records of a source are damaged. They were left out, and status.data counts them.",
    "Correct the records in the file, or go on without them; the message names the first.",
)
TIMELINE_INCOMPLETE = Reason(
    "TimelineIncomplete",
    "X does not show an account's posts to their end: its next_token leads in circles or to empty pages, or X sends no "
    "post at all.",
    "Nothing to do: the operator retries, and goes on where X stopped. Pages that were paid for are kept. If it lasts, "
    "the message says how many posts were read and how to train on these.",
    if_it_lasts="Author",
)
