"""What each role may do: the one table that API, chat and dashboard ask."""

from enum import StrEnum

from llmflow.types import Account, Role


class Permission(StrEnum):
    CHAT = "chat"
    """Ask, search, keep sessions, give feedback, use and make own templates, manage own keys."""
    UPLOAD = "upload"
    """Upload into the own space, see and delete what lies there."""
    TEMPLATES_SHARE = "templates.share"
    MODELS_READ = "models.read"
    """Runs, verdicts, what is served, retrieval quality."""
    CORPUS_READ = "corpus.read"
    """Every document of the tenant with status and failure, though not its text beyond the own groups; jobs; counts."""
    CORPUS_MANAGE = "corpus.manage"
    """Upload for groups, re-index, delete."""
    PEOPLE_MANAGE = "people.manage"
    CONVERSATIONS_REVIEW = "conversations.review"
    """Masked conversations and feedback of the tenant; each look is audited."""
    USAGE_READ = "usage.read"
    AUDIT_READ = "audit.read"
    HEALTH_READ = "health.read"
    """Each dependency with its remedy, beyond the plain liveness that anyone may ask."""
    MODELS_PROMOTE = "models.promote"
    """Promote and roll back adapters and retrieval settings. They serve every tenant: only in the home tenant."""


_USER = frozenset({Permission.CHAT, Permission.UPLOAD})
_ENGINEER = _USER | {
    Permission.TEMPLATES_SHARE,
    Permission.MODELS_READ,
    Permission.CORPUS_READ,
    Permission.USAGE_READ,
    Permission.HEALTH_READ,
}
PERMISSIONS = {Role.USER: _USER, Role.ENGINEER: _ENGINEER, Role.ADMINISTRATOR: frozenset(Permission)}
HOME_ONLY = frozenset({Permission.MODELS_PROMOTE})


def permissions_of(account: Account, home_tenant: str) -> frozenset[Permission]:
    """Return what an account may do. Nothing when it is disabled or still has to replace a one-time password."""
    if account.disabled or account.must_change_password:
        return frozenset()
    granted = PERMISSIONS[account.role]
    return granted if account.tenant == home_tenant else granted - HOME_ONLY


def may(account: Account, permission: Permission, home_tenant: str) -> bool:
    return permission in permissions_of(account, home_tenant)
