"""The one error that a mistaken call raises."""


class InvalidRecordError(ValueError):
    """A mistake in a logging call; the message says in one sentence how to mend it."""

    # While tracing, AutoGraph replaces exceptions by its own with a page of text; not those with this mark.
    ag_pass_through = True
