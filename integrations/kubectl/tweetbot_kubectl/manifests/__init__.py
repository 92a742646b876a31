"""Manifests that the plugin writes or sends. Nothing here asks or acts."""
