"""Invented people, with names, telephone numbers and addresses that no real person can have."""

from __future__ import annotations

import random
from dataclasses import dataclass

GIVEN_NAMES = (
    *("Tarsena", "Wulandri", "Jokarna", "Selamira", "Bagasta", "Rintuwi", "Dalumi", "Harsaman"),
    *("Kemalura", "Nuraksa", "Pelitawan", "Sukmirah", "Lestaruna", "Gandirya", "Murtilah"),
    *("Asmirandu", "Yudikara", "Pratiwara", "Zulkarmin", "Ratumira", "Hendrasul", "Imasari"),
)
FAMILY_NAMES = ("Contohan", "Rekaan", "Misalwan", "Umpama", "Khayali", "Andaika")
"""Indonesian words for: example, made up, for instance, suppose, imaginary, what if."""
PHONE_PREFIX = "0800-0000-"
"""0800 is the toll-free service code, which no subscriber has; 0800-0000 is not in service."""


@dataclass(frozen=True)
class Person:
    """An invented person."""

    name: str
    phone: str
    address: str

    @property
    def contact(self) -> str:
        """The number as WhatsApp shows it for a sender who is not a saved contact."""
        return f"+62 {self.phone[1:]}"


def invent(rng: random.Random) -> Person:
    """Invent a person."""
    house, block = rng.randint(1, 99), rng.randint(1, 9)
    return Person(
        name=f"{rng.choice(GIVEN_NAMES)} {rng.choice(FAMILY_NAMES)}",
        phone=f"{PHONE_PREFIX}{rng.randint(1, 9999):04d}",
        address=f"Jl. Rekaan No. {house} RT 0{block}/RW 01",
    )
