"""What our adapters change for the same application on each framework: lines, kills, an injected document."""

PACKAGES: dict[str, tuple[str, ...]] = {
    "functions": (),
    "pydantic_ai": ("pydantic-ai-slim",),
    "langgraph": ("langgraph", "langchain", "langgraph-checkpoint-sqlite"),
    "openai_agents": ("openai-agents",),
}
"""The frameworks, and what each has to install."""

FRAMEWORKS = tuple(PACKAGES)
VARIANTS = ("bare", "governed")
