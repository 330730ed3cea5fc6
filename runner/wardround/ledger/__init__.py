"""The ledger: what every run saw, kept so that it can be believed years later.

SQLite by default, PostgreSQL by URL. Results, findings and plans are working tables; each of their moves is also an
event in an append-only chain of hashes, which `verify` walks.
"""

from wardround.ledger.ledger import Ledger
from wardround.ledger.records import Event, FindingChanges, Head, LeaseRecord, LeaseState, PlanRecord

__all__ = ["Event", "FindingChanges", "Head", "LeaseRecord", "LeaseState", "Ledger", "PlanRecord"]
