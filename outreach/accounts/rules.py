"""Roles, who may see whom, and the codes of languages that staff and patients speak. Pure."""

import enum
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
FAILURES_COUNT_FOR = timedelta(hours=24)
# Failures of one account from everywhere; what each place keeps of its own all the same.
ACCOUNT_FREE_TRIES = 100
ACCOUNT_WAIT = timedelta(minutes=1)
OWN_TRIES = 3
OWN_WAIT = timedelta(hours=6)
# At how many accounts one address fails: that many people of one house don't mistype at once.
SWARM_FREE_ACCOUNTS = 100
SWARM_WINDOW = timedelta(minutes=15)

# How long a proof of who one is lets one export, appoint and change factors.
FRESH_FOR = timedelta(minutes=10)
# How long a patient stays open to an administrator who gave a reason.
EMERGENCY_LASTS = timedelta(hours=1)
LINK_LIVES = timedelta(hours=72)
# Links that were used, withdrawn or never used; who handed them out is in the audit trail.
LINKS_KEPT_FOR = timedelta(days=30)
# Sessions say who had access: six years (45 CFR 164.316(b)(2)(i)), and a leap day or two.
ACCESS_KEPT_FOR = timedelta(days=6 * 365 + 2)
# How long the second step of signing in may take.
HALF_SIGNED_IN_FOR = timedelta(minutes=10)

# ISO 639-1.
_ISO_639_1 = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv
cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr
ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw
ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr
ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
yo za zh zu
"""
LANGUAGES = frozenset(_ISO_639_1.split())


class Role(enum.StrEnum):
    """What somebody is at one clinic; an administrator is that at all of them."""

    CALLER = "caller"
    NURSE = "nurse"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    ASSESSOR = "assessor"


class LinkKind(enum.StrEnum):
    """Why somebody was handed a link to set their password."""

    INVITATION = "invitation"
    RESET = "reset"


CLINIC_WIDE = frozenset({Role.NURSE, Role.MANAGER})
# Who can answer for all clinics of a region.
FOR_REGIONS = frozenset({Role.MANAGER, Role.AUDITOR})
# Who must have a second factor. Callers are offered one.
MUST_HAVE_FACTOR = frozenset(Role) - {Role.CALLER}


@dataclass(frozen=True)
class Held:
    """One role held at one clinic; ``clinic_id`` None means every clinic."""

    role: Role
    clinic_id: int | None


@dataclass(frozen=True)
class Scope:
    """Whose records exist for somebody.

    ``everything``: all clinics. ``clinic_ids``: all patients of these. Beyond those, only
    patients on the panel of ``staff_id`` at ``panel_clinic_ids``, or covered by them at
    ``as_of``. ``opened_patients``: None does not narrow ``everything``; a set does, as far as
    patients go, to those that were opened in an emergency. ``saves_begun``: whoever they began
    a call with, too, until somebody else takes it; only for saving that call.
    """

    staff_id: int
    everything: bool
    clinic_ids: frozenset[int]
    panel_clinic_ids: frozenset[int] = frozenset()
    as_of: datetime | None = None
    opened_patients: frozenset[int] | None = None
    saves_begun: bool = False


def in_order_of_names(name: str, key: int = 0) -> tuple[str, str, int]:
    """Return what people are sorted by, in Python: names are encrypted in the database.

    ``key``, as an id, parts those who share a name.
    """
    return name.casefold(), name, key


@dataclass(frozen=True)
class Actor:
    """The person at the keyboard, as every rule wants to know them.

    ``as_of`` is when they asked: whom they cover for depends on it.
    """

    staff_id: int
    name: str
    locale: str
    zone: str
    held: tuple[Held, ...]
    as_of: datetime
    has_shortcuts: bool = True
    sees_own_only: bool = False
    opened_patients: frozenset[int] | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """All roles held, anywhere."""
        return frozenset(held.role for held in self.held)

    @property
    def scope(self) -> Scope:
        """Whose records exist for this person."""
        return Scope(
            self.staff_id,
            everything=Role.ADMINISTRATOR in self.roles,
            clinic_ids=frozenset(
                held.clinic_id
                for held in self.held
                if held.role in CLINIC_WIDE and held.clinic_id is not None
            ),
            panel_clinic_ids=self.clinic_ids_as(Role.CALLER),
            as_of=self.as_of,
            opened_patients=self.opened_patients,
        )

    def acting_as(self, roles: Collection[Role]) -> "Actor":
        """Return this person with only those of their roles that a page is for.

        A nurse of one clinic who is a manager of another sees, on a manager's page, only
        the clinic that they manage.
        """
        return replace(self, held=tuple(held for held in self.held if held.role in roles))

    def at(self, clinic_id: int) -> "Actor":
        """Return this person with only the roles that they hold at one clinic, or at all."""
        return replace(
            self, held=tuple(held for held in self.held if held.clinic_id in {None, clinic_id})
        )

    def clinic_ids_as(self, *roles: Role) -> frozenset[int]:
        """Return the clinics at which one of ``roles`` is held."""
        return frozenset(
            held.clinic_id
            for held in self.held
            if held.role in roles and held.clinic_id is not None
        )


@dataclass(frozen=True)
class Failures:
    """How many tries were refused, and when the last one was."""

    count: int
    last_at: datetime | None


@dataclass(frozen=True)
class Swarm:
    """At how many accounts tries from one place were refused, and when the last one was."""

    accounts: int
    last_at: datetime | None


def wait_before_next_try(
    same: Failures, everywhere: Failures, from_here: Swarm, *, now: datetime
) -> timedelta:
    """Return how long the next try waits.

    ``same``: this account from this place; each failure past FREE_TRIES doubles the wait.
    ``everywhere``: this account from all places. Past ACCOUNT_FREE_TRIES a place has OWN_TRIES,
    which no other place can use up, so that nobody elsewhere keeps the owner out. Who spent
    them shares one try a minute with all the others who did, and has one every OWN_WAIT.
    So somebody with N networks guesses at an account 1,541 + 7 N times a day at most: 1,681
    times with twenty, 71,541 with ten thousand: too few to find a password of the length that
    we ask for, unless it stands in a list. ``from_here``: one place against all accounts.
    """
    until = [now]
    if same.last_at and same.count >= FREE_TRIES:
        doublings = min(same.count - FREE_TRIES, 12)  # beyond, LONGEST_WAIT holds anyway
        until.append(same.last_at + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT))
    is_spent = everywhere.count >= ACCOUNT_FREE_TRIES and same.count >= OWN_TRIES
    if everywhere.last_at and same.last_at and is_spent:
        until.append(min(everywhere.last_at + ACCOUNT_WAIT, same.last_at + OWN_WAIT))
    if from_here.last_at and from_here.accounts >= SWARM_FREE_ACCOUNTS:
        until.append(from_here.last_at + LONGEST_WAIT)
    return max(until) - now


def may_appoint(actor: Actor, role: Role, clinic_id: int | None) -> bool:
    """Say whether ``actor`` may give or take ``role`` at a clinic (None: at every one).

    Administrators all roles; managers those that work at a clinic of theirs.
    """
    if Role.ADMINISTRATOR in actor.roles:
        return True
    is_own = clinic_id in actor.clinic_ids_as(Role.MANAGER)
    return is_own and role in {Role.CALLER, Role.NURSE, Role.MANAGER, Role.ASSESSOR}


def unblinds(role: Role, clinic_id: int | None, held: Iterable[tuple[Role, int | None]]) -> bool:
    """Say whether ``role`` would show an assessor who is called: at a clinic they only measure.

    ``held``: what they have already, each with its clinic; None: at every one.
    """
    return any(
        (role is Role.ASSESSOR) is not (other is Role.ASSESSOR)
        and (clinic_id == at or clinic_id is None or at is None)
        for other, at in held
    )


def language_code(text: str) -> str | None:
    """Return the one code under which we keep a language, None where ``text`` is none.

    Two letters; what stands behind them counts for nothing, and Portuguese is pt-BR, as it
    is spoken here. The codes of staff and of patients are compared letter by letter.
    """
    written = text.strip().replace("_", "-")
    base = written.split("-")[0].lower()
    is_code = re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z0-9]{2,8})*", written)
    if not is_code or base not in LANGUAGES:
        return None
    return "pt-BR" if base == "pt" else base
