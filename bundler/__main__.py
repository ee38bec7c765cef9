"""`python -m bundler` is `airgap-bundler`."""

from bundler.cli import main

if __name__ == "__main__":
    main(prog_name="airgap-bundler")
