"""What reading can meet."""


class DamagedRecordError(Exception):
    """Stored bytes that cannot be what was written; the message is one sentence."""
