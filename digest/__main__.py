"""`python -m digest`: the command, without its script."""

if __name__ == "__main__":
    from digest.cli import main  # here, for each worker imports this file anew, and needs none of it

    main()
