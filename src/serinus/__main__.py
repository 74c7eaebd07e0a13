"""``python -m serinus`` is the command `serinus`."""

from serinus.cli.main import main

if __name__ == "__main__":
    main(prog_name="serinus")
