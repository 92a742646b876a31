"""Experiment tracking with Weights & Biases, in addition to metrics.jsonl, which is always written first.

figures      the name of each figure at Weights & Biases
interface    how stages use a tracker; NullTracker for mode Disabled
content      what each stage sends
mode         the choice of Online or Offline, before the client starts
wandb_run    one run of the W&B client
background   a tracker on a thread of its own, so that no server can fail or delay a run
start        starts the tracker that a spec asks for, and uploads the files of offline runs
replay       sends the run of a published version later
"""
