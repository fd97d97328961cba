"""The one error that a mistaken call raises."""


class InvalidRecordError(ValueError):
    """A mistake in a logging call; the message says in one sentence how to mend it."""
