"""SQL, and nothing but: names, literals, templates, statements."""
