"""near.py TOLERANCE MODEL MODEL: fails if parameters differ by more than the tolerance, relative to the largest one."""
import sys

import libbackprop as bp
from workers import distance

difference = distance(*map(bp.load, sys.argv[2:4]))
print(f"relative difference {difference:.3g}")
sys.exit(not difference <= float(sys.argv[1]))
