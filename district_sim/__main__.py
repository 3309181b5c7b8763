"""`python -m district_sim` is the command `district-sim`."""

import signal

if __name__ == "__main__":  # MPI's workers import this file, too
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nobody answers it yet
    from district_sim.cli import main

    main()
