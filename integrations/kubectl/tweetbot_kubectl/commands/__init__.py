"""The commands. Each gathers what it needs, builds a frozen result, and shows it.

command    what a command is, and what it is given
reading/   commands that only read
acting/    commands that change a TweetBot, write a file, or start a Pod
"""
