"""`make bench-quality`: how well our recipes learn an account, beside huggingtweets' own procedure."""
