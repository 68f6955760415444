"""Small pages of the product itself, without scripts: they work before anybody is signed in."""
