"""What the user chose, kept in the scene's parameter node."""

from __future__ import annotations

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

DEVICES = ["auto", "cpu", "cuda"]
PAINTED, CHOSEN, WHOLE = "all that is painted", "the chosen segment", "the whole volume"
OVERWRITE_MODES = ["all", "visible", "none"]


@parameterNodeWrapper
class DiffusionSegParameters:
    """The settings of the panel; every one has a control in the .ui file.

    Args:
        input_volume: the scan; its voxels are the grid of everything else.
        further_channels: other volumes of the same body, as further channels.
        segmentation: what is painted in, and whose segments are the labels; None for a new one.
        result_segmentation: where Apply copies the result to; None for a new one.
        bundle: the name of the model; empty for the one in `bundle_folder`.
        bundle_folder: the folder of a model of the user's own.
        around: what lies in the middle of the proposed slices.
        slices_per_axis, stride: how many slices to propose along each axis, and how many mm apart.
        background_margin: in mm, between the painted structures and the faces of the background region.
        prepare_while_painting: compute the volume's features as soon as painting has begun.
        retrain_on_paint: train again by itself whenever painting pauses.
        all_paintings: learn what is painted on the other volumes of the scene, too.
        whole_volume: after training, segment the whole volume and not only the slices in view.
        keep_largest: of each segment keep only the largest connected part.
        uncertainty_opacity: of the uncertainty over the scan, 0 to 1.
        overwrite_mode: which of the user's segments Apply may overwrite.
        other_volume: another scan to segment with the trained segmenter.
        device: where to compute.
    """

    input_volume: vtkMRMLScalarVolumeNode
    further_channels: list[vtkMRMLScalarVolumeNode]
    segmentation: vtkMRMLSegmentationNode
    result_segmentation: vtkMRMLSegmentationNode
    bundle: str = "brain-t1"
    bundle_folder: str = ""
    around: Annotated[str, Choice([PAINTED, CHOSEN, WHOLE])] = PAINTED
    slices_per_axis: Annotated[int, WithinRange(1, 9)] = 3
    stride: Annotated[int, WithinRange(1, 50)] = 10
    background_margin: Annotated[float, WithinRange(0.0, 50.0)] = 5.0
    prepare_while_painting: bool = True
    retrain_on_paint: bool = False
    all_paintings: bool = False
    whole_volume: bool = True
    keep_largest: bool = False
    uncertainty_opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.0
    overwrite_mode: Annotated[str, Choice(OVERWRITE_MODES)] = "all"
    other_volume: vtkMRMLScalarVolumeNode
    device: Annotated[str, Choice(DEVICES)] = "auto"
