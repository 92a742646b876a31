"""A whole Kubernetes on one machine without root or containers, for the demo and the integration tests."""
