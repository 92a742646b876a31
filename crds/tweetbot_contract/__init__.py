"""The contract: the API's types, and what the operator and the trainer hand to each other.

Both import it; it imports neither and depends on pydantic alone.
"""
