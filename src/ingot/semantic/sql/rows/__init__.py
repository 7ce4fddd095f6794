"""SELECTs over rows: of tables, of sub-queries, and of what the model answered; in the engine's words."""
