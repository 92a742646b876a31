"""Forget deleted posts: find what holds them, and erase it once nothing that is served does. Imports go up this list.

unfinished   forget.json, what an earlier erasure has left
contents     what lies in TweetBots' folders, and which wanted posts it holds
plan         what is to be erased, what stays and why, and whether anything may be erased now; decides alone
erasure      erases what a plan names
elsewhere    copies on the Hub and runs at Weights & Biases
"""
