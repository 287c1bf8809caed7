"""A customer's id as it was sent in, the id under which it is kept out: never a mail address or a number."""

from __future__ import annotations

from hashlib import blake2b

from pipeline.redact import redact
from pipeline.visible import visible


def pseudonym(customer: str) -> str:
    """Return the id itself, or a stand-in for it where it looks like personal data.

    The same id has the same stand-in, whatever its case and on every machine, so that voices are counted,
    boards found and catalogues matched as before. It hides the id from who reads, not from who guesses it.

    >>> pseudonym("acme")
    'acme'
    >>> pseudonym("ann@example.org") == pseudonym("Ann@Example.org ")
    True
    """
    customer = visible(customer)
    if not customer or redact(customer) == customer:
        return customer
    said = customer.strip().casefold().encode("utf-8", "replace")
    return f"customer-{blake2b(said, digest_size=8).hexdigest()}"
