"""Context: what a model is shown, built from the journal alone, and built again the same way later.

`head.py` is what stays the same (instructions, examples, actions), `transcript.py` turns a run's events into
messages, `shown.py` says what the model saw at a turn of a recorded run.
"""

from interlock.context.head import Head
from interlock.context.shown import Prompt, shown
from interlock.context.transcript import Transcript

__all__ = ["Head", "Prompt", "Transcript", "shown"]
