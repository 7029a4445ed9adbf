"""`python -m gateway` is the `hotline` command."""

from gateway.cli import main

if __name__ == "__main__":
    main(prog_name="hotline")
