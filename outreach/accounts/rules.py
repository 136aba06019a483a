"""Roles, and who may see whom. Pure."""

import enum
from dataclasses import dataclass
from datetime import timedelta

PASSWORD_LENGTH = 12
THROTTLE_WINDOW = timedelta(minutes=15)
THROTTLE_PER_ACCOUNT_AND_ADDRESS = 10
THROTTLE_PER_ADDRESS = 100


class Role(enum.StrEnum):
    """What somebody is at one clinic; an administrator is that at all of them."""

    CALLER = "caller"
    NURSE = "nurse"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


CLINIC_WIDE = frozenset({Role.NURSE, Role.MANAGER})


@dataclass(frozen=True)
class Held:
    """One role held at one clinic; ``clinic_id`` None means every clinic."""

    role: Role
    clinic_id: int | None


@dataclass(frozen=True)
class Scope:
    """Whose records exist for somebody.

    ``everything``: all clinics. ``clinic_ids``: all patients of these. Beyond those, only
    patients on the panel of ``staff_id``.
    """

    staff_id: int
    everything: bool
    clinic_ids: frozenset[int]


@dataclass(frozen=True)
class Actor:
    """The person at the keyboard, as every rule wants to know them."""

    staff_id: int
    name: str
    locale: str
    zone: str
    held: tuple[Held, ...]
    has_shortcuts: bool = True

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
        )

    def clinic_ids_as(self, *roles: Role) -> frozenset[int]:
        """Return the clinics at which one of ``roles`` is held."""
        return frozenset(
            held.clinic_id
            for held in self.held
            if held.role in roles and held.clinic_id is not None
        )


def is_throttled(*, by_account_and_address: int, by_address: int) -> bool:
    """Say whether more sign-in tries must wait, given failures within THROTTLE_WINDOW.

    Counted per account *and* address, so that a stranger can't lock the owner out.
    """
    return (
        by_account_and_address >= THROTTLE_PER_ACCOUNT_AND_ADDRESS
        or by_address >= THROTTLE_PER_ADDRESS
    )
