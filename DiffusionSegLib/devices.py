"""Which device computes, and why it is not the GPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from DiffusionSegLib.errors import DiffusionSegError

# With less than this a GPU that nobody asked for by name is left to whoever fills it.
LEAST_FREE_BYTES = 2**30


def choose_device(name: str) -> torch.device:
    """The device called "auto", "cpu" or "cuda"; "auto" takes the GPU where it works and has memory to spare.

    Raises:
        DiffusionSegError: if a GPU is asked for that cannot be used.
    """
    _keep_single_precision()
    if name == "cpu":
        return torch.device("cpu")
    problem = gpu_problem() if name == "auto" else _failure()
    if problem is None:
        return torch.device("cuda")
    if name == "auto":
        return torch.device("cpu")
    raise DiffusionSegError(f"The GPU cannot be used: {problem}.", "Choose the device cpu or auto.")


def gpu_problem() -> str | None:
    """Why the device "auto" is no GPU, or None if it is one."""
    failure = _failure()
    if failure is not None:
        return failure
    free = available_gpu_memory(torch.device("cuda"))
    if free is not None and free < LEAST_FREE_BYTES:
        return f"only {free / 2**30:.1f} GB of its memory are free; close other programs that use it"
    return None


def available_gpu_memory(device: torch.device) -> int | None:
    """Bytes of a GPU's memory that this process could have: what is free, and what it holds itself; None for a CPU."""
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)


def give_back_cache(device: torch.device) -> None:
    """Let other programs, and what asks for free memory, have what torch keeps of a GPU's memory without using it."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


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


def _keep_single_precision() -> None:
    """Switch TF32 off, which some containers switch on: statistics of windows, as in alignment, do not bear it."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def _failure() -> str | None:
    """Why no GPU can compute here, or None if one can."""
    if torch.version.cuda is None:
        return "this build of torch has no CUDA"
    try:
        if not torch.cuda.is_available():
            return "torch finds no CUDA device or driver"
        _compute_a_little()
    # Torch has several kinds for what goes wrong at the first use of a GPU, one of them a plain Exception.
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        return f"a first computation on it failed ({first_line})"
    return None


def _compute_a_little() -> None:
    """Do on the GPU what denoisers do: cards that are too old or too new for the libraries at hand fail here."""
    images, kernels = (torch.ones(shape, device="cuda", dtype=torch.float16) for shape in ((1, 8, 8, 8), (8, 8, 3, 3)))
    rows = F.conv2d(images, kernels, padding=1).flatten(0, 2)
    torch.mm(rows, rows.T).sum().item()
