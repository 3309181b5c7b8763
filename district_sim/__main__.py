"""`python -m district_sim` is the command `district-sim`."""

from district_sim.cli import main

if __name__ == "__main__":  # MPI's workers import this file, too
    main()
