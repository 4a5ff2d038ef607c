"""How the code of a state is left while its run waits."""


class Suspended(BaseException):
    """The run waits: its code is left here and runs again when there is something new.

    A BaseException, so that an author's `except Exception` doesn't catch it.
    """
