"""The chain of audit entries: what each mac covers, and what is wrong with a chain that somebody touched.

An entry's mac is HMAC-SHA256 over the mac before it and the entry as canonical JSON. The head, kept apart from the entries, is
signed with the same key and says how many entries there are: entries cut off at the end are missed.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from llmflow.ports import AuditEntry

SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last entry's number and mac; 0 and empty for a chain without entries, which nobody signs."""

    number: int = 0
    mac: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What verification found."""

    entries: int
    """How many there are."""
    head: AuditHead
    broken: int = 0
    """Number of the first entry that is not as it was written; 0 when the chain holds."""
    fault: str = ""
    """What is wrong with it, for a person."""

    @property
    def ok(self) -> bool:
        return not self.fault


def canonical(entry: AuditEntry) -> bytes:
    """Return everything of an entry but its mac, in one form whatever kept it."""
    fields = [entry.number, entry.at, entry.tenant, entry.actor, entry.action, entry.target, entry.details]
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sealed(entry: AuditEntry, before: str, key: bytes) -> AuditEntry:
    """Return the entry with the mac that follows the mac `before`."""
    return replace(entry, mac=_mac(key, b"entry", before.encode(), canonical(entry)))


def signed_head(number: int, mac: str, key: bytes) -> AuditHead:
    return AuditHead(number, mac, _mac(key, b"head", str(number).encode(), mac.encode()))


def verify(
    chain: Iterable[AuditEntry],
    head: AuditHead,
    key: bytes,
    witnessed: Iterable[AuditHead] = (),
    later: Callable[[], AuditHead] | None = None,
) -> AuditVerdict:
    """Check entries, by number, and the head against the key, and that heads seen before are still part of the chain.

    A changed, removed, inserted or exchanged entry breaks its own mac or the next one's; what was cut off at the end is missed by
    the head; what was cut off together with its head by the heads that were `witnessed`, kept outside the database. Where entries
    may be added meanwhile, `head` is read before the chain, and `later` gives the head as it is afterwards.
    """
    seen = {witness.number: witness for witness in witnessed if witness.number}
    counted, at_head = 0, ""
    for number, broken, fault, mac in _links(chain, key):
        counted += 1
        if fault:
            return AuditVerdict(counted, head, broken, fault)
        if number in seen and not hmac.compare_digest(seen[number].mac, mac):
            return AuditVerdict(
                counted, head, number, "It is not the entry that was seen here before: the chain was written anew."
            )
        if number == head.number:
            at_head = mac
    end = later() if later else head
    return _against_head(counted, at_head, head, end, key, max(seen, default=0))


def _against_head(counted: int, at_head: str, head: AuditHead, end: AuditHead, key: bytes, witnessed: int) -> AuditVerdict:
    broken, fault = counted + 1, ""
    if counted < head.number:
        fault = f"It is missing: the chain had {head.number} entries and has {counted}."
    elif counted < witnessed:
        fault = f"It is missing: {witnessed} entries were seen before, and there are {counted}."
    elif counted > end.number:
        broken, fault = end.number + 1, f"It is behind the signed end of the chain, which has {end.number} entries."
    elif not (_signed(head, key) and _signed(end, key) and hmac.compare_digest(head.mac, at_head)):
        broken, fault = max(1, head.number), "The end of the chain is not signed with this key."
    return AuditVerdict(counted, head, broken if fault else 0, fault)


def _signed(head: AuditHead, key: bytes) -> bool:
    return head == AuditHead() or hmac.compare_digest(head.signature, signed_head(head.number, head.mac, key).signature)


def _links(chain: Iterable[AuditEntry], key: bytes) -> Iterator[tuple[int, int, str, str]]:
    """Yield (number, number of what is broken, fault, mac) of each entry; nothing after the first fault."""
    before, expected = "", 1
    for entry in chain:
        if entry.number != expected:
            fault = f"It is missing: entry {entry.number} follows entry {expected - 1}."
            yield entry.number, expected, fault, entry.mac
            return
        if not hmac.compare_digest(sealed(entry, before, key).mac, entry.mac):
            yield entry.number, entry.number, "It was changed, or what stood before it was changed or removed.", entry.mac
            return
        yield entry.number, 0, "", entry.mac
        before, expected = entry.mac, expected + 1


def _mac(key: bytes, *parts: bytes) -> str:
    """Return the MAC of parts, each with its length before it, so that no other cut of the same bytes has the same one."""
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key, message, hashlib.sha256).hexdigest()
