"""The page on which people accept, edit or reject generated questions."""
