"""Settings of accounts and sign-in: the key `auth` of conf/<env>/chat.yml."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from llmflow.accounts.claims import ClaimSettings
from llmflow.accounts.limits import AddressSettings, LockoutSettings
from llmflow.accounts.names import account_name, group_names, tenant_name
from llmflow.accounts.passwords import PasswordSettings
from llmflow.config import Settings
from llmflow.errors import Refused
from llmflow.types import Role

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class HashSettings(Settings):
    """Argon2id. The defaults are RFC 9106's second choice; passwords are hashed anew at the next sign-in when they change."""

    memory_kib: int = Field(default=65536, ge=19456)  # 19 MiB with two passes is the least that OWASP allows
    passes: int = Field(default=3, ge=2, le=20)
    lanes: int = Field(default=4, ge=1, le=16)


class NamedAccount(Settings):
    """An account that the configuration names."""

    name: str
    display_name: str = ""
    tenant: str = ""
    """Empty: the home tenant."""
    role: Role = Role.USER
    groups: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_are_names(self) -> "NamedAccount":
        try:
            account_name(self.name)
            group_names(self.groups)
            tenant_name(self.tenant or "default")
        except Refused as exc:
            raise ValueError(str(exc)) from exc
        return self


class SingleSettings(NamedAccount):
    """Mode `single`: whoever reaches the page is this account. For one person at one machine."""

    name: str = "me"
    display_name: str = ""
    role: Role = Role.ADMINISTRATOR
    allow_other_hosts: bool = False
    """Listen on other addresses than the loopback: everyone who reaches them is then the administrator."""


class OidcSettings(Settings):
    """Mode `oidc`: an OpenID provider says who signs in. LLMFLOW_OIDC_CLIENT_SECRET, or a public client without one."""

    issuer: str
    client_id: str = Field(min_length=1)
    scopes: tuple[str, ...] = ("openid", "profile")
    claims: ClaimSettings = ClaimSettings()
    label: str = ""
    """On the button, such as `Keycloak`; empty for a general word."""
    userinfo: bool = False
    """Also ask the provider's userinfo endpoint: for claims that it does not put into the id token."""
    logout: bool = True
    """Signing out here also ends the session at the provider, where it offers that."""
    local_accounts: bool = False
    """Also offer the form for local accounts, such as an administrator for the day when the provider is away."""
    signatures: tuple[Literal[SIGNATURES], ...] = ("RS256", "PS256", "ES256", "EdDSA")  # type: ignore[valid-type]
    clock_skew_s: int = Field(default=60, ge=0, le=300)
    timeout_s: float = Field(default=10, gt=0)
    ca_file: str = ""
    """Certificates that the provider's is checked against; empty: those of the system."""

    @field_validator("issuer")
    @classmethod
    def _is_safe_address(cls, issuer: str) -> str:
        address = urlsplit(issuer)
        local = address.scheme == "http" and address.hostname in LOOPBACK
        if not (address.scheme == "https" or local) or not address.hostname or address.query or address.fragment:
            raise ValueError(f"{issuer!r} is no issuer. Use https://host[/path]; http only on this machine.")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _asks_for_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        return scopes if "openid" in scopes else ("openid", *scopes)


class AuthSettings(Settings):
    """Who may sign in, and how."""

    mode: Literal["accounts", "oidc", "single"] = "accounts"
    home_tenant: str = "default"
    """Its administrators also decide what is served to every tenant."""
    tenants: tuple[str, ...] = ()
    """Further tenants whose people sign in here: the form then asks for one."""
    first_accounts: tuple[NamedAccount, ...] = ()
    """Created once, where there is no account at all, each with a one-time password that is printed then and never again."""
    session_hours: float = Field(default=12, gt=0, le=24 * 30)
    idle_hours: float = Field(default=4, gt=0)
    """A browser that sent nothing for so long signs in again."""
    keys_per_account: int = Field(default=20, ge=0)
    password: PasswordSettings = PasswordSettings()
    hashing: HashSettings = HashSettings()
    lockout: LockoutSettings = LockoutSettings()
    addresses: AddressSettings = AddressSettings()
    oidc: OidcSettings | None = None
    single: SingleSettings = SingleSettings()
    public_url: str = ""
    """Address by which browsers reach the chat, such as https://chat.example.internal; empty: as the request says."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    @field_validator("home_tenant", "tenants")
    @classmethod
    def _are_tenants(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        try:
            for name in (value,) if isinstance(value, str) else value:
                tenant_name(name)
        except Refused as exc:
            raise ValueError(str(exc)) from exc
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str) -> str:
        address = urlsplit(url)
        if url and (address.scheme not in ("http", "https") or not address.hostname or address.path.strip("/") or address.query):
            raise ValueError(f"{url!r} is no address of the chat. Use https://host[:port], without a path.")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _fits_its_mode(self) -> "AuthSettings":
        if self.mode == "oidc" and self.oidc is None:
            raise ValueError("auth.mode is oidc, but auth.oidc is missing. Give it at least issuer and client_id.")
        names = [(account.tenant or self.home_tenant, account.name.casefold()) for account in self.first_accounts]
        if len(set(names)) != len(names):
            raise ValueError("Two of auth.first_accounts have the same name in one tenant. Give each a name of its own.")
        return self

    @property
    def asks_for_passwords(self) -> bool:
        """Whether people may sign in with an account and password kept here."""
        return self.mode == "accounts" or (self.oidc is not None and self.mode == "oidc" and self.oidc.local_accounts)

    @property
    def known_tenants(self) -> tuple[str, ...]:
        """The home tenant, then the others that the configuration names, sorted."""
        others = {*self.tenants, *(account.tenant for account in self.first_accounts if account.tenant)}
        return (self.home_tenant, *sorted(others - {self.home_tenant}))
