"""Adapters from training to the chat: registered, judged, promoted, served."""
