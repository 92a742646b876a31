"""The caller's cluster, with the caller's own kubeconfig and rights. The API server's dicts end here.

connect    kubeconfig and context → requests
requests   one method per verb; errors by their meaning
rights     which role grants what was refused
objects    frozen views of Jobs, Pods and Events
parse      JSON of the API server → these views
cluster    what commands ask for
port_forward   a Pod's port on this machine, by kubectl
"""
