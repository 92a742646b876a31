"""What operator and trainer share: the API's types and what one hands to the other; depends on pydantic alone."""
