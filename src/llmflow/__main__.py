"""`python -m llmflow` is the command line, and Kedro's entry when it runs the packaged project."""

from llmflow.cli import main

if __name__ == "__main__":
    main()
