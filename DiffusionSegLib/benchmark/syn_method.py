"""Single-atlas segmentation: the training person's labels, carried to another person by registration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.extras import of_extra
from DiffusionSegLib.normalisation import Normalisation
from DiffusionSegLib.volume import Volume

# Of the voxels that the registration samples.
SEED = 1


@dataclass(frozen=True, eq=False)
class Atlas:
    """A person whose every voxel is labelled.

    Args:
        image: the scan, an ANTs image.
        labels: the label map, an ANTs image on the same grid.
    """

    image: Any
    labels: Any


class SynMethod:
    """Affine and symmetric diffeomorphic registration by ANTs (Avants et al. 2008), in its default settings."""

    def __init__(self) -> None:
        with of_extra("registration", "Registration needs the package ANTsPy"):
            import ants
        self.ants: Any = ants

    def open(self, volume: Volume) -> Any:
        return self._image(Normalisation().apply(volume.data, "mr")[0] + 1, volume.grid.affine)

    def train(self, scan: Any, annotation: Annotation) -> Atlas:
        """Nothing is learnt: the atlas is the annotation itself.

        Raises:
            DiffusionSegError: if voxels are unknown.
        """
        if not annotation.known.all():
            raise DiffusionSegError("Registration carries whole label maps only.", "Choose the setting volume.")
        return Atlas(scan, self._image(annotation.labelmap.astype(np.float32), annotation.grid.affine))

    def predict(self, scan: Any, trained: Atlas) -> np.ndarray:
        found = self.ants.registration(scan, trained.image, type_of_transform="SyN", random_seed=SEED)
        warped = self.ants.apply_transforms(
            scan, trained.labels, found["fwdtransforms"], interpolator="genericLabel", singleprecision=True
        )
        return np.rint(warped.numpy()).astype(np.int32)

    def _image(self, array: np.ndarray, affine: np.ndarray) -> Any:
        # ITK counts to the left and to the back where NIfTI counts to the right and to the front.
        lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3]
        spacing = np.linalg.norm(lps[:, :3], axis=0)
        return self.ants.from_numpy(
            array, origin=lps[:, 3].tolist(), spacing=spacing.tolist(), direction=lps[:, :3] / spacing
        )
