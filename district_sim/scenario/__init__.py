"""Ask: scenario files, their schema, policies, and paths that name one value."""
