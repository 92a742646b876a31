"""`python -m tweetbot_contract.generate [--check]`: write, or check, all files rendered from the types."""

from tweetbot_contract.generate.files import render_files, write_or_check

if __name__ == "__main__":
    write_or_check(render_files())
