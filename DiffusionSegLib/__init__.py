"""Segmentation of whole volumes from a few painted slices, with features of pretrained diffusion models."""

from __future__ import annotations

__version__ = "0.1.0"
