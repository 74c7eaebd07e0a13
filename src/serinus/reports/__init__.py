"""Documents for people, made from stored facts: gathered, written, and rendered as Markdown, HTML or JSON."""
