import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from small_denoiser import SMALL, with_random_weights

from DiffusionSegLib.diffusion.layouts import BRAINTUMOR_128, GUIDED_DIFFUSION_256
from DiffusionSegLib.diffusion.unet import UNet


@pytest.mark.parametrize(
    ("config", "tensors", "parameters"),
    [(GUIDED_DIFFUSION_256, 566, 552_814_086), (BRAINTUMOR_128, 570, 36_153_604)],
)
def test_published_checkpoints_have_the_tensors_of_our_layout(config, tensors, parameters):
    with torch.device("meta"):
        model = UNet(config)
    state = model.state_dict()
    assert len(state) == tensors
    assert sum(value.numel() for value in state.values()) == parameters


def test_keys_and_shapes_are_those_of_the_guided_diffusion_layout():
    with torch.device("meta"):
        state = UNet(GUIDED_DIFFUSION_256).state_dict()
    expected = {
        "time_embed.0.weight": (1024, 256),
        "time_embed.2.bias": (1024,),
        "input_blocks.0.0.weight": (256, 3, 3, 3),
        "input_blocks.1.0.in_layers.2.weight": (256, 256, 3, 3),
        "input_blocks.3.0.emb_layers.1.weight": (512, 1024),
        "input_blocks.10.1.qkv.weight": (1536, 512, 1),
        "middle_block.1.proj_out.weight": (1024, 1024, 1),
        "output_blocks.2.2.out_layers.3.weight": (1024, 1024, 3, 3),
        "output_blocks.11.1.in_layers.0.weight": (512,),
        "output_blocks.17.0.skip_connection.weight": (256, 512, 1, 1),
        "out.2.weight": (6, 256, 3, 3),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected


def test_keys_of_the_braintumor_layout_use_plain_convolutions_to_change_size():
    with torch.device("meta"):
        state = UNet(BRAINTUMOR_128).state_dict()
    assert tuple(state["input_blocks.4.0.op.weight"].shape) == (64, 64, 3, 3)
    assert tuple(state["output_blocks.3.1.conv.weight"].shape) == (256, 256, 3, 3)
    assert tuple(state["output_blocks.15.2.conv.weight"].shape) == (128, 128, 3, 3)


def test_decoder_blocks_have_the_published_channels_and_sizes():
    with torch.device("meta"):
        model = UNet(GUIDED_DIFFUSION_256)
    table = [
        (model.config.decoder_channels[block], 256 // model.block_reductions[block])
        for block in (0, 2, 5, 6, 8, 11, 12, 17)
    ]
    assert table == [(1024, 8), (1024, 16), (1024, 32), (512, 32), (512, 64), (512, 128), (256, 128), (256, 256)]


def reference_norm(images, state, name, groups):
    """Group normalisation, written out."""
    count, channels = images.shape[:2]
    grouped = images.reshape(count, groups, -1)
    mean = grouped.mean(2, keepdim=True)
    variance = ((grouped - mean) ** 2).mean(2, keepdim=True)
    normal = ((grouped - mean) / torch.sqrt(variance + 1e-5)).reshape(images.shape)
    shape = (1, channels, *[1] * (images.dim() - 2))
    return normal * state[f"{name}.weight"].reshape(shape) + state[f"{name}.bias"].reshape(shape)


def reference_residual(images, embedding, state, name, config, resample=None):
    """A residual block from the published equations; h * sigmoid(h) is SiLU."""
    conv = {2: F.conv2d, 3: F.conv3d}[config.dims]
    pool = {2: F.avg_pool2d, 3: F.avg_pool3d}[config.dims]

    def changed(value):
        if resample == "down":
            return pool(value, 2)
        if resample == "up":
            for axis in range(2, value.dim()):
                value = value.repeat_interleave(2, axis)
        return value

    hidden = reference_norm(images, state, f"{name}.in_layers.0", config.groups)
    hidden = changed(hidden * torch.sigmoid(hidden))
    hidden = conv(hidden, state[f"{name}.in_layers.2.weight"], state[f"{name}.in_layers.2.bias"], padding=1)
    active = embedding * torch.sigmoid(embedding)
    signal = active @ state[f"{name}.emb_layers.1.weight"].T + state[f"{name}.emb_layers.1.bias"]
    signal = signal.reshape(*signal.shape, *[1] * config.dims)
    if config.scale_shift:
        half = signal.shape[1] // 2
        hidden = reference_norm(hidden, state, f"{name}.out_layers.0", config.groups)
        hidden = hidden * (1 + signal[:, :half]) + signal[:, half:]
    else:
        hidden = reference_norm(hidden + signal, state, f"{name}.out_layers.0", config.groups)
    hidden = hidden * torch.sigmoid(hidden)
    hidden = conv(hidden, state[f"{name}.out_layers.3.weight"], state[f"{name}.out_layers.3.bias"], padding=1)
    skip = changed(images)
    if f"{name}.skip_connection.weight" in state:
        skip = conv(skip, state[f"{name}.skip_connection.weight"], state[f"{name}.skip_connection.bias"])
    return skip + hidden


def reference_attention(images, state, name, heads, groups):
    """Attention head by head; q, k and v of a head lie side by side."""
    count, channels = images.shape[:2]
    flat = images.reshape(count, channels, -1)
    normal = reference_norm(flat, state, f"{name}.norm", groups)
    qkv = state[f"{name}.qkv.weight"][:, :, 0] @ normal + state[f"{name}.qkv.bias"][:, None]
    width = channels // heads
    mixed = []
    for head in range(heads):
        part = qkv[:, head * 3 * width : (head + 1) * 3 * width]
        query, key, value = part[:, :width], part[:, width : 2 * width], part[:, 2 * width :]
        weights = torch.softmax((query / width**0.25).transpose(1, 2) @ (key / width**0.25), dim=-1)
        mixed.append(value @ weights.transpose(1, 2))
    out = state[f"{name}.proj_out.weight"][:, :, 0] @ torch.cat(mixed, 1) + state[f"{name}.proj_out.bias"][:, None]
    return images + out.reshape(images.shape)


def reference_unet(images, time_steps, state, config):
    """Two levels with one residual block each, as SMALL, straight from the layout."""
    conv = {2: F.conv2d, 3: F.conv3d}[config.dims]
    half = config.base_channels // 2
    frequencies = torch.tensor([math.exp(-math.log(10_000) * i / half) for i in range(half)])
    angles = time_steps[:, None].float() * frequencies
    embedding = torch.cat([torch.cos(angles), torch.sin(angles)], 1)
    embedding = embedding @ state["time_embed.0.weight"].T + state["time_embed.0.bias"]
    embedding = (embedding * torch.sigmoid(embedding)) @ state["time_embed.2.weight"].T + state["time_embed.2.bias"]
    heads = config.heads or 2 * config.base_channels // config.head_channels

    def residual(value, name, resample=None):
        return reference_residual(value, embedding, state, name, config, resample)

    def attention(value, name):
        return reference_attention(value, state, name, heads, config.groups)

    first = conv(images, state["input_blocks.0.0.weight"], state["input_blocks.0.0.bias"], padding=1)
    second = residual(first, "input_blocks.1.0")
    if config.residual_resampling:
        third = residual(second, "input_blocks.2.0", "down")
    else:
        weight = state["input_blocks.2.0.op.weight"]
        third = conv(second, weight, state["input_blocks.2.0.op.bias"], stride=2, padding=1)
    fourth = attention(residual(third, "input_blocks.3.0"), "input_blocks.3.1")
    hidden = residual(attention(residual(fourth, "middle_block.0"), "middle_block.1"), "middle_block.2")
    hidden = attention(residual(torch.cat([hidden, fourth], 1), "output_blocks.0.0"), "output_blocks.0.1")
    hidden = attention(residual(torch.cat([hidden, third], 1), "output_blocks.1.0"), "output_blocks.1.1")
    if config.residual_resampling:
        hidden = residual(hidden, "output_blocks.1.2", "up")
    else:
        for axis in range(2, hidden.dim()):
            hidden = hidden.repeat_interleave(2, axis)
        hidden = conv(hidden, state["output_blocks.1.2.conv.weight"], state["output_blocks.1.2.conv.bias"], padding=1)
    hidden = residual(torch.cat([hidden, second], 1), "output_blocks.2.0")
    hidden = residual(torch.cat([hidden, first], 1), "output_blocks.3.0")
    hidden = reference_norm(hidden, state, "out.0", config.groups)
    return conv(hidden * torch.sigmoid(hidden), state["out.2.weight"], state["out.2.bias"], padding=1)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("residual_resampling", [True, False])
@pytest.mark.parametrize("scale_shift", [True, False])
def test_the_denoiser_computes_the_published_equations(dims, residual_resampling, scale_shift):
    config = replace(SMALL, dims=dims, residual_resampling=residual_resampling, scale_shift=scale_shift, channels_in=2)
    model = with_random_weights(config)
    images = torch.randn(2, 2, *[8] * dims)
    time_steps = torch.tensor([3, 700])
    with torch.no_grad():
        expected = reference_unet(images, time_steps, model.state_dict(), config)
        torch.testing.assert_close(
            model(images, time_steps), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max())
        )


@pytest.mark.parametrize("dims", [2, 3])
def test_activations_are_those_of_the_whole_pass_and_have_the_sizes_promised(dims):
    model = with_random_weights(replace(SMALL, dims=dims, patch=2))
    images, steps = torch.randn(1, 1, *[16] * dims), torch.tensor([9])
    seen = {}
    for index, block in enumerate(model.output_blocks):
        block.register_forward_hook(lambda _module, _inputs, output, index=index: seen.setdefault(index, output))
    with torch.no_grad():
        model(images, steps)
        whole = dict(seen)
        found = model.activations(images, steps, None, (1, 2))
    for block, output in found.items():
        torch.testing.assert_close(output, whole[block])
        assert output.shape == (1, model.config.decoder_channels[block], *[16 // model.block_reductions[block]] * dims)


@pytest.mark.parametrize("scale_shift", [True, False])
def test_one_time_step_for_all_images_is_that_of_each(scale_shift):
    model = with_random_weights(replace(SMALL, scale_shift=scale_shift, classes=3))
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        each = model.activations(images, torch.tensor([50, 50, 50]), torch.tensor([2, 2, 2]), (1, 3))
        together = model.activations(images, torch.tensor([50]), torch.tensor([2]), (1, 3))
    for block, expected in each.items():
        torch.testing.assert_close(together[block], expected)


def test_what_is_learnt_does_not_depend_on_how_many_images_are_learnt_from_at_once():
    model = with_random_weights(SMALL)
    images, steps = torch.randn(2, 1, 8, 8), torch.tensor([3, 700])

    def gradients(*parts):
        model.zero_grad()
        for part in parts:
            model(images[part], steps[part]).square().sum().backward()
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    together = gradients(slice(None))
    torch.testing.assert_close(gradients(slice(0, 1), slice(1, 2)), together, rtol=1e-3, atol=1e-3)


def test_nothing_runs_after_the_last_chosen_block():
    model = with_random_weights(SMALL)
    ran = []
    for index, block in enumerate(model.output_blocks):
        block.register_forward_hook(lambda *_args, index=index: ran.append(index))
    model.activations(torch.randn(1, 1, 8, 8), torch.tensor([1]), None, (0, 1))
    assert ran == [0, 1]
