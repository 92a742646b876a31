"""What a TweetBot is: the API's types, the hand-over between operator and trainer, and nothing that acts.

Imported by both halves, imports neither; depends on pydantic alone.
"""
