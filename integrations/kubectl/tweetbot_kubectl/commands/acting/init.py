"""`kubectl tweetbot init`: a few questions, or as many flags, and a manifest that validates."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tweetbot_contract.handover import NAME_LIMIT
from tweetbot_kubectl.commands.command import Command, Session
from tweetbot_kubectl.commands.reading.plan import describe_price
from tweetbot_kubectl.failures import ExitCode, UsageError
from tweetbot_kubectl.manifests import new_bot
from tweetbot_kubectl.manifests.new_bot import BadAnswer, NewBot, NewSource, XTerms
from tweetbot_kubectl.output.blocks import Block, Text

RELATIONS = ("Self", "Consented", "Fictional", "Parody", "Unspecified")
#: Asks a question; raises EOFError at the end of input.
Read = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Written:
    """Where the manifest is, and what to do next."""

    file: str
    name: str
    next_steps: tuple[str, ...]
    price: str


class Questions:
    """Asks for what no flag gave, or says which flags are missing where nobody can answer."""

    def __init__(self, read: Read | None, note: Callable[[str], None]) -> None:
        """Without `read` nothing is asked."""
        self._read, self._note = read, note

    def ask(self, given: str | None, question: str, flag: str, default: str | None = None) -> str:
        """Return what was given, else the answer. Raises UsageError where nobody can answer and there is no default."""
        if given is not None:
            return given
        if self._read is None:
            if default is None:
                raise UsageError(f"{flag} is missing: {question}")
            return default
        hint = f" [{default}]" if default else ""
        while True:
            answer = self._read(f"{question}{hint} ").strip() or (default if default is not None else "")
            if answer or default == "":
                return answer

    def ask_until(self, given: str | None, question: str, flag: str, check: Callable[[str], None]) -> str:
        """The same, until `check` raises no BadAnswer; for a flag it is raised as UsageError."""
        while True:
            answer = self.ask(given, question, flag)
            try:
                check(answer)
            except BadAnswer as wrong:
                if given is not None or self._read is None:
                    raise UsageError(f"{flag}: {wrong}") from None
                self._note(str(wrong))
            else:
                return answer


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Write a manifest."""
    read = _ask if sys.stdin.isatty() else None
    try:
        answers = collect_answers(arguments, Questions(read, session.output.note), session.output.note)
        manifest = new_bot.build_new_bot(answers)
    except BadAnswer as wrong:
        raise UsageError(str(wrong)) from None
    except EOFError:
        raise UsageError("The input ended before all questions were answered.") from None
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
    if arguments.file == "-":
        session.output.print_line(text.rstrip())
        return ExitCode.DONE
    file = Path(arguments.file or f"{answers.name}.yaml")
    _write(file, text, force=arguments.force)
    result = Written(str(file), answers.name, list_next_steps(answers, str(file)), describe_price(manifest, session))
    session.output.show(result, _render(result))
    return ExitCode.DONE


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)  # stdout may be the manifest's file
    return input()


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        with file.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists: name another one with --file, or replace it with --force") from None
    except OSError as fault:
        raise UsageError(f"{file} cannot be written: {fault.strerror}") from None


def collect_answers(arguments: argparse.Namespace, questions: Questions, note: Callable[[str], None]) -> NewBot:
    """Gather the answers from flags and questions. Raises UsageError."""
    handle = questions.ask(arguments.handle, "Whose posts? The account's handle:", "--handle").removeprefix("@")
    relation = questions.ask_until(
        arguments.relation,
        f"How does the person relate to this bot? {', '.join(RELATIONS)}:",
        "--relation",
        _check_relation,
    )
    consent = arguments.consent_ref or ""
    if relation == "Consented":
        consent = questions.ask(arguments.consent_ref, "Where is the consent recorded (a URL)?", "--consent-ref", "")
    sources = _collect_sources(arguments, questions)
    x = _collect_x_terms(arguments, questions, note) if any(each.kind == "x" for each in sources) else XTerms()
    default_output = "" if arguments.class_name else None
    output = questions.ask(arguments.to, "Where does the model go? s3://bucket/prefix:", "--to", default_output)
    secret = (
        "" if not output else questions.ask(arguments.secret, "Secret with the bucket's keys, if any:", "--secret", "")
    )
    return NewBot(
        name=questions.ask(arguments.name, "Name of the TweetBot:", "NAME", new_bot.suggest_name(handle)),
        handle=handle,
        relation=relation,
        consent_ref=consent,
        sources=sources,
        namespace=arguments.namespace or "",
        display_name=arguments.display_name or "",
        output=output.rstrip("/"),
        endpoint=arguments.endpoint or "",
        region=arguments.region or "",
        secret=secret,
        class_name=arguments.class_name or "",
        base=arguments.base or "",
        cpu_only=arguments.cpu_only,
        x=x,
    )


def _check_relation(answer: str) -> None:
    if answer not in RELATIONS:
        raise BadAnswer(f"{answer} is not one of {', '.join(RELATIONS)}")


def _collect_sources(arguments: argparse.Namespace, questions: Questions) -> tuple[NewSource, ...]:
    question = f"Where are the posts? KIND:ADDRESS, with a kind of {', '.join(new_bot.KINDS)}:"
    given = arguments.source or [questions.ask_until(None, question, "--source", _check_source)]
    try:
        return tuple(map(new_bot.read_source, given))
    except BadAnswer as wrong:
        raise UsageError(f"--source: {wrong}") from None


def _check_source(answer: str) -> None:
    new_bot.read_source(answer)


def _collect_x_terms(arguments: argparse.Namespace, questions: Questions, note: Callable[[str], None]) -> XTerms:
    """Ask how many posts at which price, for the token, and for the statement about X's terms."""
    for offer in new_bot.X_OFFERS:
        note(f"X bills {offer} posts at ${new_bot.compute_x_price(offer):.2f} (its list price, the account included).")
    count = questions.ask_until(
        arguments.max_posts, "How many posts at most, newest first?", "--max-posts", new_bot.check_count
    )
    token = questions.ask(
        arguments.token_secret, "Secret and key with your app's bearer token, as NAME/KEY:", "--token-secret"
    )
    accepted = arguments.accept_terms or _ask_terms(questions)
    return XTerms(token_secret=token, max_posts=int(count), accepted=accepted)


def _ask_terms(questions: Questions) -> bool:
    question = "Have you read X's developer agreement, and may you train on these posts (docs/sources/x.md)? yes or no:"
    return questions.ask(None, question, "--accept-terms", "no").lower() in ("y", "yes")


def list_next_steps(bot: NewBot, file: str) -> tuple[str, ...]:
    """Return the commands that follow, in their order."""
    inside = f" -n {bot.namespace}" if bot.namespace else ""
    keys = "--from-file=AWS_ACCESS_KEY_ID --from-file=AWS_SECRET_ACCESS_KEY"
    return (
        *([f"kubectl create secret generic {bot.secret}{inside} {keys}"] if bot.secret else []),
        f"kubectl apply -f {file}",
        f"kubectl tweetbot doctor {bot.name}{inside}",
        f"kubectl tweetbot status {bot.name}{inside}",
    )


def _render(result: Written) -> tuple[Block, ...]:
    return (
        Text(f"Wrote {result.file}.", "good"),
        Text(result.price, "faint"),
        Text("Next:"),
        *(Text(f"  {step}", "strong") for step in result.next_steps),
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "name",
        metavar="NAME",
        nargs="?",
        help=f"name of the TweetBot, at most {NAME_LIMIT} characters (default: by the handle)",
    )
    add("--handle", help="account whose posts they are, without @")
    add("--display-name", metavar="NAME", help="name in the model card")
    add("--relation", choices=RELATIONS, help="how the person relates to this bot")
    add("--consent-ref", metavar="URL", help="where the person's consent is recorded")
    add(
        "--source",
        action="append",
        metavar="KIND:ADDRESS",
        help=f"where the posts are, up to three times: {', '.join(f'{kind}:s3://…' for kind in new_bot.FILE_KINDS)}, "
        "x:HANDLE, bluesky:HANDLE or bluesky:s3://….car",
    )
    add("--max-posts", metavar="N", help="of the X API: how many posts to read, which X bills")
    add("--token-secret", metavar="NAME/KEY", help="of the X API: Secret and key with your app's bearer token")
    add("--accept-terms", action="store_true", help="of the X API: you read X's developer agreement and may train")
    add("--to", metavar="URI", help="where datasets and models go: s3://bucket/prefix")
    add("--endpoint", metavar="URL", help="S3-compatible server of the bucket (default: AWS)")
    add("--region", help="region of the bucket")
    add("--secret", metavar="NAME", help="Secret with the bucket's keys (default: the service account's identity)")
    add("--class-name", metavar="NAME", help="TweetBotClass that gives what the manifest leaves out")
    add("--base", metavar="URI", help="model to fine-tune (default: hf://gpt2)")
    add("--cpu-only", action="store_true", help="train without a GPU")
    add("--file", metavar="FILE", help="where to write it, - for stdout (default: NAME.yaml)")
    add("--force", action="store_true", help="replace the file")


INIT = Command(
    "init",
    "write the manifest of a new TweetBot",
    run,
    _add_arguments,
    "Asks for what no flag gives, where stdin is a terminal. Sends nothing.",
)
