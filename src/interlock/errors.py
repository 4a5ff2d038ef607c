"""Every exception of Interlock, in one file; a docstring says what happened and what to do."""


class InterlockError(Exception):
    """The base of every error that Interlock raises on purpose."""


class DeclarationError(InterlockError):
    """An action, machine, policy or agent can't work as declared; the message says what to write."""


class PolicyError(DeclarationError):
    """A policy names something unknown or impossible; the message says where, and the nearest name."""


class CanonicalError(InterlockError, ValueError):
    """A value has no canonical form (NaN, an infinity, a lone surrogate, an unknown type)."""


class JournalError(InterlockError):
    """The journal could not do what was asked; what it acknowledged before is still there."""


class JournalUnavailableError(JournalError):
    """The journal's store can't be written now (disk full, locked, read-only); nothing of it was kept."""


class JournalCorruptError(JournalError):
    """The stored bytes are not a journal, or not the one that was written; run `verify` to see where."""


class JournalVersionError(JournalError):
    """The journal was written by a newer Interlock; upgrade this one, nothing was changed."""


class StaleWriterError(JournalError):
    """Another driver has this run, or it moved on; the append was refused and nothing was kept."""


class DriverConflictError(JournalError):
    """Another process drives this journal's runs; append signals from here, or stop the other one first."""


class UnknownRunError(InterlockError, LookupError):
    """No run with this id is in the journal."""


class UnknownEffectError(InterlockError, LookupError):
    """There is no such effect in this run, or it has been taken back."""


class UnknownQuestionError(InterlockError, LookupError):
    """No question with this id is waiting."""


class KeyReusedError(InterlockError):
    """A key was used again for another action or other arguments; a key names one proposal for ever."""


class OtherUserError(InterlockError):
    """The conversation is another user's: a message never speaks for somebody else. Start a conversation of its own."""


class RunEndedError(InterlockError):
    """The run has ended; start a new one."""


class DependenciesError(InterlockError):
    """The factory of an agent's dependencies failed; its runs stay where they are and can be resumed."""


class AnswerWithheldError(InterlockError):
    """A model's provider gave no answer on purpose (its content filter); the run can't go on with this model."""


class OtherCodeError(InterlockError):
    """The run is in a state under another version of its code; a process that has it takes the run on."""


class OverloadedError(InterlockError):
    """More work waits than the runtime admits; try again later, nothing was started."""


class RuntimeClosedError(InterlockError):
    """The runtime is closed or closing; open a new one, the runs are in the journal."""
