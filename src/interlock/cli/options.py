"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", help="The run's id, as much of it as no other has, or `last`.", show_default=False),
]
QuestionId = Annotated[str, typer.Argument(metavar="QUESTION", help="The question's id, from the inbox.")]
Journal = Annotated[
    Path | None, typer.Option("--journal", metavar="PATH", help="The journal; by default the project's.")
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agent", metavar="MODULE:NAME", help="An agent; by default the project's. May be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decides; by default you, by login name.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; it is recorded, and the agent is told.")]
