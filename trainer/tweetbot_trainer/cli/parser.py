"""Commands and options of `tweetbot-trainer`; those about published models are in model_commands.py.

Each command imports what it needs when it runs.
"""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tweetbot_contract import handover, reasons
from tweetbot_trainer.cli.model_commands import Subparsers, add_command, add_model_commands, print_failure
from tweetbot_trainer.cli.storage import add_storage_options, create_store_opener
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest

EXIT_CODES = """\
exit codes: 0 success, 10 spec or data refused, 11 not authorized, 12 too little data, 13 training diverged,
14 quality gate failed, 75 temporary failure, 143 stopped by SIGTERM, 1 unexpected error"""


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
    _add_plan(commands)
    add_model_commands(commands)
    _add_clean(commands)
    _add_forget(commands)
    _add_remove_hashes(commands)
    return parser.parse_args(argv)


def _add_operator_commands(commands: Subparsers) -> None:
    details = f"Its settings are environment variables, above all {handover.RUN_ENV}."
    for name, summary in (
        ("prepare", "read and clean the posts, and store the dataset (started by the operator)"),
        ("train", "fine-tune, evaluate and publish the model (started by the operator)"),
    ):
        command = add_command(commands, name, summary, details, run=_run_stage, fail=_write_stage_failure)
        command.set_defaults(stage=name.capitalize())
    summary = "serve the version that spec.pin names, or the newest one (started by the operator)"
    add_command(commands, "pin", summary, details, run=_run_pin, fail=_write_stage_failure)
    summary = "erase everything that a deleted TweetBot stored (started by the operator)"
    add_command(commands, "cleanup", summary, details, run=_run_cleanup, fail=_write_stage_failure)


def _add_run(commands: Subparsers) -> None:
    summary, details = "prepare and train without a cluster", "Output and sources may be file:/// addresses."
    command = add_command(commands, "run", summary, details, run=_run_here, fail=print_failure)
    command.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="YAML file with a TweetBot")
    command.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for intermediate files")
    command.add_argument(
        "--secrets",
        type=Path,
        metavar="DIR",
        help="folder with the credentials that the run needs, as s3/AWS_ACCESS_KEY_ID, s3/AWS_SECRET_ACCESS_KEY, "
        "wandb/api-key, x-0/token, hub/token, base/token (default: secrets, in the folder of --work)",
    )


def _add_plan(commands: Subparsers) -> None:
    summary = "say what a run would do and cost, without writing anything or paying for posts"
    command = add_command(commands, "plan", summary, run=_plan, fail=print_failure)
    command.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="YAML file with a TweetBot")
    command.add_argument(
        "--secrets", type=Path, metavar="DIR", help="folder with credentials, as for run (default: secrets)"
    )
    command.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the output")


def _add_clean(commands: Subparsers) -> None:
    summary = "clean posts: read JSONL from stdin, write it to stdout with text, kept and reason added"
    command = add_command(commands, "clean", summary, run=_clean, fail=print_failure)
    command.add_argument(
        "--recipe",
        choices=("modern", "huggingtweets"),
        default="modern",
        help="cleaning rules, as filter.recipe (default: %(default)s)",
    )


def _add_remove_hashes(commands: Subparsers) -> None:
    summary = "remove training_posts.hashes, out of which posts can be read, from the models of earlier versions"
    details = "Every stage that runs does the same for its own TweetBot."
    command = add_command(commands, "remove-hashes", summary, details, run=_remove_hashes, fail=print_failure)
    command.add_argument(
        "--root",
        required=True,
        metavar="URI",
        help="where to remove it: the address of an output, of a namespace in it, or of a TweetBot's folder",
    )
    command.add_argument("--dry-run", action="store_true", help="only list the models that have it")
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _add_forget(commands: Subparsers) -> None:
    summary = "find what holds deleted posts, and erase it"
    details = f"Without options it does so for the TweetBot of {handover.RUN_ENV} (started by the operator)."
    command = add_command(commands, "forget", summary, details, run=_forget, fail=_write_forget_failure)
    command.add_argument("--ids", type=Path, metavar="FILE", help="one id, or one JSON object with an id, per line")
    command.add_argument(
        "--root",
        metavar="URI",
        help="where to search: the address of an output, of a namespace in it, or of a TweetBot's folder",
    )
    command.add_argument("--erase", action="store_true", help="erase what is found, once no served model holds a post")
    command.add_argument("--yes", action="store_true", help="erase without asking")
    add_storage_options(command)
    command.add_argument("--json", action="store_true", help="write one JSON object")


def _run_stage(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.stage import run_stage

    return run_stage(arguments.stage, stop)


def _run_pin(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.stage import run_pin

    return run_pin(stop)


def _run_cleanup(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.cleanup import run_cleanup

    return run_cleanup(stop)


def _write_stage_failure(error: BaseException) -> int:
    from tweetbot_trainer.cli.stage import write_failure

    return write_failure(error)


def _run_here(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.run import run_here

    return run_here(arguments.manifest, arguments.work, arguments.secrets, stop)


def _plan(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.planning.plan import run_plan

    return run_plan(arguments.manifest, arguments.secrets, stop, as_json=arguments.output == "json")


def _clean(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_contract.spec.spec import Filter
    from tweetbot_trainer.cli.clean import run_clean

    run_clean(sys.stdin.buffer, sys.stdout.buffer, Filter(recipe=arguments.recipe))
    return 0


def _remove_hashes(arguments: argparse.Namespace, stop: StopRequest) -> int:
    from tweetbot_trainer.cli.remove_hashes import run_remove_hashes

    store = create_store_opener(arguments.root, arguments, stop)(arguments.root)
    return run_remove_hashes(store, arguments.root, dry_run=arguments.dry_run, as_json=arguments.json)


def _forget(arguments: argparse.Namespace, stop: StopRequest) -> int:
    if _is_started_by_operator():
        from tweetbot_trainer.cli.stage import run_forget_task

        return run_forget_task(stop)
    from tweetbot_trainer.cli.forget import ForgetOptions, run_forget

    if not (arguments.ids and arguments.root):
        raise SpecRefused(
            reasons.SPEC_REFUSED, "forget needs --ids, a list of posts, and --root, where to look for them"
        )
    options = ForgetOptions(
        arguments.ids, arguments.root, arguments.erase, ask=not arguments.yes, as_json=arguments.json
    )
    return run_forget(create_store_opener(options.root, arguments, stop)(options.root), options, stop)


def _write_forget_failure(error: BaseException) -> int:
    return (_write_stage_failure if _is_started_by_operator() else print_failure)(error)


def _is_started_by_operator() -> bool:
    return handover.RUN_ENV in os.environ
