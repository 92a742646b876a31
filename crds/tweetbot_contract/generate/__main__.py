"""Write everything that is rendered from the types: `python -m tweetbot_contract.generate [--check]`."""

from tweetbot_contract.generate.files import render_files, write_or_check


def main() -> None:
    """Write or check what is rendered from the contract."""
    write_or_check(render_files())


if __name__ == "__main__":
    main()
