"""The policy report: from paired runs to numbers (`gather`), to a verdict, to one HTML file (`page`)."""
