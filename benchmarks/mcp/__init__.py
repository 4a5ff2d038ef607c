"""The MCP proxy beside a direct connection: the same results, the same conformance, and what it costs."""
