"""Which answers of entities the days have, and what is doubtful about them: what the next sync has to know."""
