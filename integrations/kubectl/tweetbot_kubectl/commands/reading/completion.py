"""`kubectl tweetbot completion SHELL`: a script that lets a shell ask us what comes next."""

import argparse

from tweetbot_kubectl.commands.command import Command, Session
from tweetbot_kubectl.failures import ExitCode

_BASH = """\
_kubectl_tweetbot() {
  local IFS=$'\\n'
  COMPREPLY=($(kubectl-tweetbot __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | grep -v '^:'))
}
complete -F _kubectl_tweetbot kubectl-tweetbot
"""
_ZSH = """\
#compdef kubectl-tweetbot
_kubectl_tweetbot() {
  local -a found
  found=("${(@f)$(kubectl-tweetbot __complete "${(@)words[2,CURRENT]}" 2>/dev/null | grep -v '^:')}")
  compadd -a found
}
compdef _kubectl_tweetbot kubectl-tweetbot
"""
_FISH = """\
complete -c kubectl-tweetbot -f -a \\
  '(kubectl-tweetbot __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null | string match -v ":*")'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print the script of a shell."""
    session.output.print_line(SCRIPTS[arguments.shell].rstrip())
    return ExitCode.DONE


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=tuple(SCRIPTS), help="bash, zsh or fish")


COMPLETION = Command(
    "completion",
    "print the completion script of a shell, for kubectl-tweetbot",
    run,
    _add_arguments,
    "`kubectl tweetbot` needs none of it: kubectl asks kubectl_complete-tweetbot, which is installed beside it.",
)
