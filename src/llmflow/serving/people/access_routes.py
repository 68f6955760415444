"""Routes of signing in and of people, as an application includes them."""

from fastapi import APIRouter

from llmflow.serving.people.access import Access
from llmflow.serving.routers.auth import make_auth_router
from llmflow.serving.routers.people import make_people_router
from llmflow.serving.routers.sign_in_page import make_sign_in_page


def access_routers(access: Access, title: str = "llmflow", language: str = "ko") -> tuple[APIRouter, ...]:
    """Return the routers of /api/auth, /api/users, /api/groups and the pages under /sign-in."""
    return (
        make_auth_router(access),
        make_people_router(access.people, access.guard),
        make_sign_in_page(access, title, language),
    )
