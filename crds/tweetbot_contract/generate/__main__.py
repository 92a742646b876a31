"""`python -m tweetbot_contract.generate [--check]`: write, or check, all files rendered from the types."""

from tweetbot_contract.generate.files import render_files, write_or_check


def main() -> None:
    """Write or check the files."""
    write_or_check(render_files())


if __name__ == "__main__":
    main()
