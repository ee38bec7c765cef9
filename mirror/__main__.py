"""`python -m mirror` is `airgap-mirror`."""

from mirror.cli import main

if __name__ == "__main__":
    main(prog_name="airgap-mirror")
