"""Makes a release: everything that a user installs, from one commit, so that the same commit gives the same bytes."""
