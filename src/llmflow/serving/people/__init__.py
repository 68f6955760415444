"""Accounts, sign-in and the gate before every route."""
