"""Commands and options of `tweetbot-trainer`. Each command imports what it needs when it runs."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tweetbot_contract import handover
from tweetbot_trainer.cli.arguments import make_range_parser, parse_count, parse_seed
from tweetbot_trainer.cli.storage import add_storage_options, create_store_opener
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import UNEXPECTED, describe_failure

EXIT_CODES = """\
exit codes: 0 success, 10 spec or data refused, 11 not authorized, 12 too little data, 13 training diverged,
14 quality gate failed, 75 temporary failure, 143 stopped by SIGTERM, 1 unexpected error"""
#: Stands for no address, for a function that is never called.
_NO_DATASET = "file:///dev/null"
Handler = Callable[[argparse.Namespace, StopRequest], int]
FailureHandler = Callable[[BaseException], int]
_Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line into options with `run` and `fail`, which do the work. Exits on --help and misuse."""
    parser = argparse.ArgumentParser(
        prog="tweetbot-trainer",
        description="Fine-tune GPT-2 on the posts of an account, and work with the published models.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=importlib.metadata.version("tweetbot-operator"))
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_operator_commands(commands)
    _add_run(commands)
    _add_generate(commands)
    _add_clean(commands)
    _add_verify(commands)
    _add_forget(commands)
    _add_remove_hashes(commands)
    _add_sync(commands)
    return parser.parse_args(argv)


def _add_command(
    commands: _Subparsers,
    name: str,
    summary: str,
    details: str = "",
    *,
    run: Handler,
    fail: Callable[[BaseException], int],
) -> argparse.ArgumentParser:
    description = f"{summary[0].upper()}{summary[1:]}. {details}".strip()
    command = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=run, fail=fail)
    return command


def _add_operator_commands(commands: _Subparsers) -> None:
    details = f"Its settings are environment variables, above all {handover.RUN_ENV}."
    for name, summary in (
        ("prepare", "read and clean the posts, and store the dataset (started by the operator)"),
        ("train", "fine-tune, evaluate and publish the model (started by the operator)"),
    ):
        command = _add_command(commands, name, summary, details, run=_run_stage, fail=_write_stage_failure)
        command.set_defaults(stage=name.capitalize())
    summary = "erase everything that a deleted TweetBot stored (started by the operator)"
    _add_command(commands, "cleanup", summary, details, run=_run_cleanup, fail=_write_stage_failure)


def _add_run(commands: _Subparsers) -> None:
    summary, details = "prepare and train without a cluster", "Output and sources may be file:/// addresses."
    command = _add_command(commands, "run", summary, details, run=_run_here, fail=_print_failure)
    command.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="YAML file with a TweetBot")
    command.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for intermediate files")
    command.add_argument(
        "--secrets",
        type=Path,
        metavar="DIR",
        help="folder with the credentials that the run needs, as s3/AWS_ACCESS_KEY_ID, s3/AWS_SECRET_ACCESS_KEY, "
        "wandb/api-key, x-0/token (default: secrets, in the folder of --work)",
    )


def _add_generate(commands: _Subparsers) -> None:
    summary = "write posts with a published model"
    details = (
        "All posts differ and fit the length limit of a post. They copy no post of the model's dataset, if that can be "
        "read; if not, stderr and copies_checked in the JSON say so."
    )
    command = _add_command(commands, "generate", summary, details, run=_generate, fail=_print_failure)
    add = command.add_argument
    add("--model", required=True, metavar="DIR|URI", help="folder of the model, or its address as for verify")
    add("--prompt", default="My dream is", help="how the posts begin (default: %(default)s)")
    add("-n", "--count", type=parse_count, default=5, metavar="N", help="number of posts (default: %(default)s)")
    add("--seed", type=parse_seed, default=42, help="the same seed gives the same posts (default: %(default)s)")
    add(
        "--temperature",
        type=make_range_parser(0.01, 2),
        help="randomness, from 0.01 to 2; higher is bolder (default: the model's own)",
    )
    add(
        "--top-p",
        type=make_range_parser(0.0001, 1),
        help="nucleus sampling: keep the smallest set of tokens with this total probability (default: the model's own)",
    )
    add(
        "--dataset",
        metavar="DIR|URI",
        help="folder of the model's dataset, .../datasets/<digest>, to recognize copies by "
        "(default: that of the version, if --model is an address)",
    )
    add("--keep-copies", action="store_true", help="show copies of posts, too")
    forms = command.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json", help="write one JSON object")
    forms.add_argument(
        "--jsonl", dest="form", action="store_const", const="jsonl", help="write one JSON object per post"
    )
    add_storage_options(command)
    command.set_defaults(form="text")


def _add_clean(commands: _Subparsers) -> None:
    summary = "clean posts: read JSONL from stdin, write it to stdout with text, kept and reason added"
    command = _add_command(commands, "clean", summary, run=_clean, fail=_print_failure)
    command.add_argument(
        "--recipe",
        choices=("modern", "huggingtweets"),
        default="modern",
        help="cleaning rules, as filter.recipe (default: %(default)s)",
    )


def _add_verify(commands: _Subparsers) -> None:
    summary = "check a published model against its manifest, its dataset and its sources"
    command = _add_command(commands, "verify", summary, run=_verify, fail=_print_failure)
    command.add_argument(
        "--model",
        required=True,
        metavar="URI",
        help="s3:// or file:/// address of a version, its model/ or MANIFEST.json, or a folder with latest.json",
    )
    command.add_argument(
        "--digest", metavar="SHA256", help="sha256 that MANIFEST.json must have, as in status.model.digest"
    )
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_remove_hashes(commands: _Subparsers) -> None:
    summary = "remove training_posts.hashes, out of which posts can be read, from the models of earlier versions"
    details = "Every stage that runs does the same for its own TweetBot."
    command = _add_command(commands, "remove-hashes", summary, details, run=_remove_hashes, fail=_print_failure)
    command.add_argument(
        "--root",
        required=True,
        metavar="URI",
        help="where to remove it: the address of an output, of a namespace in it, or of a TweetBot's folder",
    )
    command.add_argument("--dry-run", action="store_true", help="only list the models that have it")
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_forget(commands: _Subparsers) -> None:
    summary = "find the datasets and models that contain deleted posts"
    command = _add_command(commands, "forget", summary, run=_forget, fail=_print_failure)
    command.add_argument(
        "--ids", type=Path, required=True, metavar="FILE", help="one id, or one JSON object with an id, per line"
    )
    command.add_argument(
        "--root",
        required=True,
        metavar="URI",
        help="where to search: the address of an output, of a namespace in it, or of a TweetBot's folder",
    )
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_sync(commands: _Subparsers) -> None:
    summary = "send the run that trained a version to Weights & Biases, after the fact"
    details = "The key is read from WANDB_API_KEY. What was sent before is left as it is."
    command = _add_command(commands, "sync", summary, details, run=_sync, fail=_print_failure)
    add = command.add_argument
    add("--model", required=True, metavar="URI", help="address of a version, published or rejected, as for verify")
    add("--project", default="huggingtweets", help="project at Weights & Biases (default: %(default)s)")
    add("--entity", help="team or user who owns the project (default: that of the key)")
    add("--base-url", metavar="URL", help="your own server (default: $WANDB_BASE_URL, otherwise the public service)")
    add("--log-text", action="store_true", help="send the posts' text, too, as tracking.wandb.logText does")
    add_storage_options(command)


def _run_stage(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.stage import run_stage

    return run_stage(arguments.stage, stop)


def _run_cleanup(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.cleanup import run_cleanup

    return run_cleanup(stop)


def _write_stage_failure(error: BaseException) -> int:
    from tweetbot_trainer.cli.stage import write_failure

    return write_failure(error)


def _run_here(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.run import run_here

    return run_here(arguments.manifest, arguments.work, arguments.secrets or arguments.work / "secrets", stop)


def _generate(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.generate import Request, download_model, load_copy_check, run_generate

    request = Request(
        arguments.prompt,
        count=arguments.count,
        seed=arguments.seed,
        temperature=arguments.temperature,
        top_p=arguments.top_p,
        keep_copies=arguments.keep_copies,
    )
    given = arguments.dataset
    if given and "://" not in given:
        given = Path(given).resolve().as_uri()
    is_address = "://" in arguments.model
    open_store = create_store_opener(arguments.model if is_address else given or _NO_DATASET, arguments, stop)
    if not is_address:
        return run_generate(Path(arguments.model), request, arguments.form, load_copy_check(open_store, given=given))
    with download_model(open_store(arguments.model), arguments.model) as (folder, dataset):
        check = load_copy_check(open_store, given=given, found=dataset)
        return run_generate(folder, request, arguments.form, check)


def _clean(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_contract.spec.spec import Filter
    from tweetbot_trainer.cli.clean import run_clean

    run_clean(sys.stdin.buffer, sys.stdout.buffer, Filter(recipe=arguments.recipe))
    return 0


def _verify(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.verify import run_verify

    open_store = create_store_opener(arguments.model, arguments, stop)
    return run_verify(open_store, arguments.model, digest=arguments.digest, as_json=arguments.json)


def _remove_hashes(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.remove_hashes import run_remove_hashes

    store = create_store_opener(arguments.root, arguments, stop)(arguments.root)
    return run_remove_hashes(store, arguments.root, dry_run=arguments.dry_run, as_json=arguments.json)


def _forget(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.forget import run_forget

    open_store = create_store_opener(arguments.root, arguments, stop)
    return run_forget(open_store(arguments.root), arguments.ids, arguments.root, as_json=arguments.json)


def _sync(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.sync import run_sync

    return run_sync(create_store_opener(arguments.model, arguments, stop)(arguments.model), arguments)


def _print_failure(error: BaseException) -> int:
    """Print one line, and the traceback if the error is a bug; nothing after Ctrl-C."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, BrokenPipeError):  # the reader closed the pipe: discard what is still buffered
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    failure, code = describe_failure(error)
    if code == UNEXPECTED:
        import traceback

        traceback.print_exception(error)
    print(f"tweetbot-trainer: {failure.reason}: {failure.message}", file=sys.stderr)
    return code
