"""The account owner's X export, from Grailbird to today's zip."""
