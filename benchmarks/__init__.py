"""What district-sim costs, as ratios of two sides that alternate in one run; see docs/performance.md."""

import os

# Idle threads of one side must not spin while the other side is being timed.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
