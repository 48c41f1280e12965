"""Plans at work in the database: run side by side, and what is asked of their findings."""
