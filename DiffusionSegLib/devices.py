"""Which device computes, and why it is not the GPU."""

from __future__ import annotations

import torch

from DiffusionSegLib.errors import DiffusionSegError


def choose_device(name: str) -> torch.device:
    """The device called "auto", "cpu" or "cuda"; "auto" takes the GPU where it works.

    Raises:
        DiffusionSegError: if a GPU is asked for that cannot be used.
    """
    if name == "cpu":
        return torch.device("cpu")
    problem = gpu_problem()
    if problem is None:
        return torch.device("cuda")
    if name == "auto":
        return torch.device("cpu")
    raise DiffusionSegError(f"The GPU cannot be used: {problem}.", "Choose the device cpu or auto.")


def gpu_problem() -> str | None:
    """Why no GPU can be used, or None if one can."""
    if torch.version.cuda is None:
        return "this build of torch has no CUDA"
    if not torch.cuda.is_available():
        return "torch finds no CUDA device or driver"
    try:
        torch.zeros(1, device="cuda").add_(1).item()
    except RuntimeError as error:
        return f"a first computation on it failed ({str(error).splitlines()[0]})"
    return None


def available_gpu_memory(device: torch.device) -> int | None:
    """Bytes of a GPU's memory that this process could have: what is free, and what it holds itself; None for a CPU."""
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)


def describe_devices() -> list[str]:
    """A line for each device, and one that says why a GPU is not used."""
    lines = [f"cpu: {torch.get_num_threads()} threads"]
    problem = gpu_problem()
    if problem is not None:
        return [*lines, f"cuda: not used, {problem}"]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        lines.append(f"cuda:{index}: {properties.name}, {properties.total_memory / 2**30:.0f} GB")
    return lines
