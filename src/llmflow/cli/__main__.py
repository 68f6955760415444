"""`python -m llmflow.cli`."""

from llmflow.cli import main

main()
