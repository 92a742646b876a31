"""The commands about published models, and how a command is added. Each imports what it needs when it runs."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tweetbot_trainer.cli.storage import add_storage_options, create_store_opener
from tweetbot_trainer.runtime.arguments import parse_count, parse_seed
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import UNEXPECTED, describe_failure

Handler = Callable[[argparse.Namespace, StopRequest], int]
FailureHandler = Callable[[BaseException], int]
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_model_commands(commands: Subparsers) -> None:
    """Add the commands about published models."""
    _add_generate(commands)
    _add_verify(commands)
    _add_history(commands)
    _add_compare(commands)
    _add_sync(commands)
    _add_serve(commands)
    _add_publish(commands)


def add_command(
    commands: Subparsers,
    name: str,
    summary: str,
    details: str = "",
    *,
    run: Handler,
    fail: FailureHandler,
) -> argparse.ArgumentParser:
    """Add a command with what does its work, and what writes its failure."""
    description = f"{summary[0].upper()}{summary[1:]}. {details}".strip()
    command = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=run, fail=fail)
    return command


def _add_generate(commands: Subparsers) -> None:
    summary = "write posts with a published model"
    details = (
        "All posts differ and fit the length limit of a post. They copy no post of the model's dataset, if that can be "
        "read; if not, stderr and copies_checked in the JSON say so."
    )
    command = add_command(commands, "generate", summary, details, run=_generate, fail=print_failure)
    add = command.add_argument
    add("--model", required=True, metavar="DIR|URI", help="folder of the model, or its address as for verify")
    add("--prompt", default="My dream is", help="how the posts begin (default: %(default)s)")
    add("-n", "--count", type=parse_count, default=5, metavar="N", help="number of posts (default: %(default)s)")
    add("--seed", type=parse_seed, default=42, help="the same seed gives the same posts (default: %(default)s)")
    add(
        "--temperature",
        type=_make_range_parser(0.01, 2),
        help="randomness, from 0.01 to 2; higher is bolder (default: the model's own)",
    )
    add(
        "--top-p",
        type=_make_range_parser(0.0001, 1),
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


def _add_verify(commands: Subparsers) -> None:
    summary = "check a published model against its manifest, its dataset and its sources"
    command = add_command(commands, "verify", summary, run=_verify, fail=print_failure)
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


def _add_history(commands: Subparsers) -> None:
    summary = "list the versions of a TweetBot: figures, which is served or pinned, which failed a gate and why"
    command = add_command(commands, "history", summary, run=_history, fail=print_failure)
    command.add_argument(
        "--root", required=True, metavar="URI", help="address of the TweetBot's folder, <output>/<namespace>/<name>"
    )
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_compare(commands: Subparsers) -> None:
    summary = "show two versions side by side: figures, samples, and what differs in data, base, values and program"
    command = add_command(commands, "compare", summary, run=_compare, fail=print_failure)
    for letter in ("A", "B"):
        command.add_argument(
            f"version_{letter.lower()}", metavar=letter, help="name of a version below --root, or its address"
        )
    command.add_argument("--root", metavar="URI", help="address of the TweetBot's folder, <output>/<namespace>/<name>")
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_sync(commands: Subparsers) -> None:
    summary = "send the run that trained a version to Weights & Biases, after the fact"
    details = "The key is read from WANDB_API_KEY. What was sent before is left as it is."
    command = add_command(commands, "sync", summary, details, run=_sync, fail=print_failure)
    add = command.add_argument
    add("--model", required=True, metavar="URI", help="address of a version, published or rejected, as for verify")
    add("--project", default="huggingtweets", help="project at Weights & Biases (default: %(default)s)")
    add("--entity", help="team or user who owns the project (default: that of the key)")
    add("--base-url", metavar="URL", help="your own server (default: $WANDB_BASE_URL, otherwise the public service)")
    add("--log-text", action="store_true", help="send the posts' text, too, as tracking.wandb.logText does")
    add("--report", action="store_true", help="make the report of the TweetBot, as tracking.wandb.report does")
    add_storage_options(command)


def _add_serve(commands: Subparsers) -> None:
    summary = "serve published models: a page to try them in, and an API for programs"
    details = "It answers this machine alone, unless --host says otherwise; others then need the token."
    command = add_command(commands, "serve", summary, details, run=_serve, fail=print_failure)
    add = command.add_argument
    models = "folder of a model, or its address as for verify; give several to compare them"
    add("--model", required=True, action="append", metavar="DIR|URI", help=models)
    add("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    add("--port", type=_parse_port, default=8080, help="port to listen at; 0 takes a free one (default: %(default)s)")
    add("--token-file", type=Path, metavar="FILE", help="file with the token (default: $TWEETBOT_SERVE_TOKEN)")
    add("--dataset", metavar="DIR|URI", help="folder of the models' dataset, to recognize copies by, as for generate")
    idle = "end when nobody has asked for this time (default: stay)"
    add("--idle-seconds", type=_make_range_parser(1, 10**6), metavar="N", help=idle)
    add_storage_options(command)


def _parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError("write a number from 0 to 65535")
    return int(text)


def _add_publish(commands: Subparsers) -> None:
    summary = "send a published version to the Hugging Face Hub by hand"
    details = "The token is read from HF_TOKEN. A version that is there already is left as it is."
    command = add_command(commands, "publish", summary, details, run=_publish, fail=print_failure)
    add = command.add_argument
    add("--model", required=True, metavar="URI", help="address of a version, or a folder with latest.json")
    add("--repo", required=True, metavar="OWNER/NAME", help="repository; it is created if there is none")
    add(
        "--visibility",
        choices=("Private", "Public"),
        default="Private",
        help="of a repository that is created (default: %(default)s)",
    )
    add_storage_options(command)


def _make_range_parser(least: float, most: int) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not least <= value <= most:  # logits divided by a temperature near 0 overflow
            raise argparse.ArgumentTypeError(f"write a number from {least} to {most}")
        return value

    return parse


def _generate(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.generate import Request, run_generate
    from tweetbot_trainer.publishing.registry.download import UNCHECKED, download_model, load_copy_check
    from tweetbot_trainer.publishing.registry.lineage import find_dataset_folder

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
    if "://" not in arguments.model:
        check = load_copy_check(create_store_opener(given, arguments, stop), given=given) if given else UNCHECKED
        return run_generate(Path(arguments.model), request, arguments.form, check)
    open_store = create_store_opener(arguments.model, arguments, stop)
    with download_model(open_store(arguments.model), arguments.model) as (folder, version):
        check = load_copy_check(open_store, given=given, found=find_dataset_folder(version))
        return run_generate(folder, request, arguments.form, check)


def _serve(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.serving.command import ServeOptions, run_serve

    options = ServeOptions(
        tuple(arguments.model),
        arguments.host,
        arguments.port,
        arguments.token_file,
        arguments.dataset,
        arguments.idle_seconds,
    )
    return run_serve(options, lambda uri: create_store_opener(uri, arguments, stop), stop)


def _verify(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.verify import run_verify

    open_store = create_store_opener(arguments.model, arguments, stop)
    return run_verify(open_store, arguments.model, digest=arguments.digest, as_json=arguments.json)


def _history(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.versions import run_history

    store = create_store_opener(arguments.root, arguments, stop)(arguments.root)
    return run_history(store, arguments.root, as_json=arguments.json)


def _compare(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.versions import find_address, run_compare

    names = (arguments.version_a, arguments.version_b)
    open_store = create_store_opener(find_address(names, arguments.root), arguments, stop)
    return run_compare(open_store, names, arguments.root, as_json=arguments.json)


def _sync(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.sync import run_sync

    return run_sync(create_store_opener(arguments.model, arguments, stop)(arguments.model), arguments)


def _publish(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.publishing.hub.command import run_publish

    return run_publish(create_store_opener(arguments.model, arguments, stop)(arguments.model), arguments)


def print_failure(error: BaseException) -> int:
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
