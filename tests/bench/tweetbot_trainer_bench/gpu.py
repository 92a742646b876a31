"""What a GPU can do at most, for the share of it that a training uses (MFU)."""

#: Dense bfloat16 FLOP/s by a part of the name that the driver gives, from NVIDIA's data sheets of each product; the
#: more particular name first. Sparsity, which doubles the printed figure of some, is taken out.
PEAKS = (
    ("H100 PCIe", 756e12),
    ("H100", 989e12),
    ("H200", 989e12),
    ("A100", 312e12),
    ("L40S", 362e12),
    ("L4", 121e12),
    ("A10", 125e12),
)


def peak_flops(device: str | None) -> float | None:
    """Return the dense bfloat16 FLOP/s of a GPU by its name, or None where there is none or it is not known."""
    return next((flops for part, flops in PEAKS if part in (device or "")), None)
