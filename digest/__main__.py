"""`python -m digest`: the command, without its script."""

from digest.cli import main

if __name__ == "__main__":
    main()
