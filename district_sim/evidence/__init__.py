"""Check: patterns, replications, studies and cases, each held against what was published or expected."""
