"""Routes of the HTTP API, one module a subject; each offers a function that returns its APIRouter."""
