"""The one kind of array that the analysis counts in: whole numbers are exact in it up to 2⁵³."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
