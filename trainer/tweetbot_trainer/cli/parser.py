"""The commands of `tweetbot-trainer` and their options. What a command needs is imported when it runs."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tweetbot_contract import handover
from tweetbot_trainer.cli.storage import add_storage_options, create_store_opener
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import UNFORESEEN, describe_failure

EXIT_CODES = """\
exit codes: 0 done, 10 spec or data refused, 11 not authorised, 12 too little data, 13 diverged,
75 temporary, 143 stopped by SIGTERM, 1 anything unforeseen"""


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's arguments with `run` and `fail`, which do the work; exits on --help and misuse."""
    parser = argparse.ArgumentParser(
        prog="tweetbot-trainer",
        description="Posts in, a fine-tuned GPT-2 out.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=importlib.metadata.version("tweetbot-operator"))
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_stage(commands, "prepare", "read, clean and snapshot the posts; the operator starts this")
    _add_stage(commands, "train", "fine-tune, evaluate and publish the model; the operator starts this")
    _add_cleanup(commands)
    _add_run(commands)
    _add_generate(commands)
    _add_clean(commands)
    _add_verify(commands)
    _add_forget(commands)
    return parser.parse_args(argv)


class _Subparsers(Protocol):
    """argparse has a public name for what add_subparsers returns only in type stubs."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser: ...


def _add_stage(commands: _Subparsers, name: str, summary: str) -> None:
    description = (
        f"{summary[0].upper()}{summary[1:]}. Its environment tells it the rest: {handover.RUN_ENV} and others."
    )
    command = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=_run_stage, fail=_write_stage_failure, stage=name.capitalize())


def _add_cleanup(commands: _Subparsers) -> None:
    summary = "erase all that a deleted TweetBot left in S3; the operator starts this"
    description = f"{summary[0].upper()}{summary[1:]}, for deletionPolicy: Delete."
    command = commands.add_parser("cleanup", help=summary, description=description)
    command.set_defaults(run=_run_cleanup, fail=_write_stage_failure)


def _add_run(commands: _Subparsers) -> None:
    summary = "do both stages for a manifest here, without a cluster; output and sources may be file:///"
    command = commands.add_parser("run", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="a TweetBot in YAML")
    command.add_argument("--work", type=Path, required=True, metavar="DIR", help="where intermediate files go")
    command.add_argument(
        "--secrets",
        type=Path,
        metavar="DIR",
        help="folder with s3/AWS_ACCESS_KEY_ID, s3/AWS_SECRET_ACCESS_KEY, wandb/api-key, x-0/token, "
        "each as needed (default: DIR of --work, then secrets)",
    )
    command.set_defaults(run=_run_here, fail=_print_failure)


def _add_generate(commands: _Subparsers) -> None:
    summary = "let a published model write posts"
    description = (
        f"{summary[0].upper()}{summary[1:]}: no two alike, none longer than a post may be, and none that copies a post "
        "the model was trained on."
    )
    command = commands.add_parser("generate", help=summary, description=description)
    command.add_argument(
        "--model", required=True, metavar="DIR|URI", help="a model directory; or s3://…, file:///… as for verify"
    )
    command.add_argument("--prompt", default="My dream is", help="beginning to continue (default: %(default)s)")
    command.add_argument(
        "-n", "--count", type=_parse_count, default=5, metavar="N", help="how many (default: %(default)s)"
    )
    command.add_argument("--seed", type=_parse_seed, default=42, help="same seed, same posts (default: %(default)s)")
    command.add_argument(
        "--temperature", type=_make_range_parser(0.01, 2), help="more is bolder, to 2 (default: the model's)"
    )
    command.add_argument(
        "--top-p", type=_make_range_parser(0.0001, 1), help="draw from so much of the odds (default: the model's)"
    )
    command.add_argument("--keep-copies", action="store_true", help="show copies of training posts, too")
    forms = command.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json", help="write one JSON object")
    forms.add_argument("--jsonl", dest="form", action="store_const", const="jsonl", help="write one object a line")
    add_storage_options(command)
    command.set_defaults(run=_generate, fail=_print_failure, form="text")


def _add_clean(commands: _Subparsers) -> None:
    summary = "clean posts: JSONL on stdin, each back with text, kept and reason on stdout"
    command = commands.add_parser("clean", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.add_argument("--recipe", choices=("modern", "huggingtweets"), default="modern", help="default: %(default)s")
    command.set_defaults(run=_clean, fail=_print_failure)


def _add_verify(commands: _Subparsers) -> None:
    summary = "compare a published model with its manifest, its dataset and its sources, line by line"
    command = commands.add_parser("verify", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.add_argument(
        "--model",
        required=True,
        metavar="URI",
        help="s3://… or file:///…: a version's folder, its model/ or MANIFEST.json, or a folder with latest.json",
    )
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")
    command.set_defaults(run=_verify, fail=_print_failure)


def _add_forget(commands: _Subparsers) -> None:
    summary = "tell which datasets and models hold posts that were deleted"
    command = commands.add_parser("forget", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.add_argument(
        "--ids", type=Path, required=True, metavar="FILE", help="ids, one a line; or JSON objects with id, one a line"
    )
    command.add_argument(
        "--root", required=True, metavar="URI", help="where to look: an output, a namespace in it, a TweetBot's folder"
    )
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")
    command.set_defaults(run=_forget, fail=_print_failure)


def _parse_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("write a number from 1 to 100")
    return int(text)


def _parse_seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError("write a whole number from 0 to 9223372036854775807")
    return int(text)


def _make_range_parser(least: float, most: int) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not least <= value <= most:  # logits over a temperature near 0 are no numbers any more
            raise argparse.ArgumentTypeError(f"write a number from {least} to {most}")
        return value

    return number


def _run_stage(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.stage import run_stage

    return run_stage(arguments.stage, stop)


def _run_cleanup(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.cleanup import run_cleanup

    return run_cleanup(stop)


def _write_stage_failure(error: Exception) -> int:
    from tweetbot_trainer.cli.stage import write_failure

    return write_failure(error)


def _run_here(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.run import run_here

    return run_here(arguments.manifest, arguments.work, arguments.secrets or arguments.work / "secrets", stop)


def _generate(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.generate import Request, download_model, run_generate

    request = Request(
        arguments.prompt,
        count=arguments.count,
        seed=arguments.seed,
        temperature=arguments.temperature,
        top_p=arguments.top_p,
        keep_copies=arguments.keep_copies,
    )
    if "://" not in arguments.model:
        return run_generate(Path(arguments.model), request, arguments.form)
    open_store = create_store_opener(arguments.model, arguments, stop)
    with download_model(open_store(arguments.model), arguments.model) as folder:
        return run_generate(folder, request, arguments.form)


def _clean(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_contract.spec.spec import Filter
    from tweetbot_trainer.cli.clean import run_clean

    run_clean(sys.stdin.buffer, sys.stdout.buffer, Filter(recipe=arguments.recipe))
    return 0


def _verify(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.verify import run_verify

    return run_verify(create_store_opener(arguments.model, arguments, stop), arguments.model, as_json=arguments.json)


def _forget(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.forget import run_forget

    open_store = create_store_opener(arguments.root, arguments, stop)
    return run_forget(open_store(arguments.root), arguments.ids, arguments.root, as_json=arguments.json)


def _print_failure(error: Exception) -> int:
    """Tell a person: one line, and the traceback only where the fault is ours."""
    if isinstance(error, BrokenPipeError):  # the reader has seen enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    failure, code = describe_failure(error)
    if code == UNFORESEEN:
        import traceback

        traceback.print_exception(error)
    print(f"tweetbot-trainer: {failure.reason}: {failure.message}", file=sys.stderr)
    return code
