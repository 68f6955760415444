"""Instruction data and conversations to an adapter with its measured worth: formats, cleaning, snapshots, training, export."""
