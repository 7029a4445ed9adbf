"""How Alembic meets our database: always with the connection that `upgrade` (or `make migration`) hands over."""

from alembic import context

from gateway.store import (  # noqa: F401 - each brings its tables into the metadata
    attendance,
    audit,
    callbacks,
    campaigns,
    case_codes,
    consents,
    contacts,
    continuing,
    conversations,
    counselors,
    directory,
    factors,
    guesses,
    hours,
    inbox,
    invitations,
    legs,
    messages,
    outbox,
    outreach,
    paces,
    provider_copies,
    quotas,
    refusals,
    ring_backs,
    sheets,
    shifts,
    sounds,
    spending,
)
from gateway.store.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
