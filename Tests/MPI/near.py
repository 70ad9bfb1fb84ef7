"""near.py TOLERANCE MODEL MODEL: fails if parameters differ by more than the tolerance, relative to the largest one."""
import sys

import numpy as np

import libbackprop as bp

tolerance = float(sys.argv[1])
a, b = (bp.load(path).parameters for path in sys.argv[2:4])
difference = np.abs(a - b).max() / np.abs(a).max()
print(f"relative difference {difference:.3g}")
sys.exit(not difference <= tolerance)
