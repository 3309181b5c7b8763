"""Ask: scenario files, their schema, policies, and the paths by which a value is named."""
