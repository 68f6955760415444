"""Questions asked and answers kept: the one path of page, socket and API."""
