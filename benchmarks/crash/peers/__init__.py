"""Durable engines under the same kills, each used the way its documentation tells."""
