"""A program: the operator with other constants, so that what takes minutes in production takes seconds in a test."""

import json
import os
import sys

#: The variable with the constants as JSON, by their names in the operator's modules.
VARIABLE = "OPERATOR_CONSTANTS"


def set_constants() -> None:
    """Give the operator's modules the constants in the environment. Raises KeyError for a name that no module has."""
    from tweetbot_operator import manager  # loads all the others

    modules = [module for name, module in sys.modules.items() if name.startswith(f"{manager.__package__}.")]
    for name, value in json.loads(os.environ.get(VARIABLE, "{}")).items():
        homes = [module for module in modules if hasattr(module, name)]
        if not homes:
            raise KeyError(name)
        for module in homes:
            setattr(module, name, value)


def main() -> int:
    """Set the constants and run the operator; answers its exit code."""
    from tweetbot_operator.__main__ import main as run_operator

    set_constants()
    return run_operator()


if __name__ == "__main__":
    sys.exit(main())
