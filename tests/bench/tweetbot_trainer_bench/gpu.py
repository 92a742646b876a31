"""Peak speed of GPUs, for the share of it that a training reaches (MFU)."""

#: Dense bfloat16 FLOP/s by part of the driver's name, from NVIDIA's data sheets; longer names first. Without sparsity,
#: which doubles the figure of some data sheets.
PEAKS = (
    ("H100 PCIe", 756e12),
    ("H100", 989e12),
    ("H200", 989e12),
    ("A100", 312e12),
    ("L40S", 362e12),
    ("L4", 121e12),
    ("A10", 125e12),
)


def get_peak_flops(device: str | None) -> float | None:
    """Return the dense bfloat16 FLOP/s of a GPU by its name, or None if it is unknown or there is no GPU."""
    return next((flops for part, flops in PEAKS if part in (device or "")), None)
