"""The `interlock` command: run agents, read journals, decide, undo, verify and replay from a terminal.

In come arguments, out come lines or JSON and an exit code. `app.py` declares every command and imports what one does
when it is called, so that `--help` is quick; `group.py` turns errors into one line and an exit code (`errors.py`).
`project.py` finds `interlock.toml` and the agents, `reading.py` opens journals. Then a module a command, or two that
are alike. `text.py` makes whatever a run holds safe to print, `screen.py` lays it out, `timeline.py` tells events.
"""


def main() -> None:
    """Run the command with the arguments of this process."""
    from interlock.cli.app import app  # noqa: PLC0415 - `import interlock.cli` costs nothing

    app(prog_name="interlock")
