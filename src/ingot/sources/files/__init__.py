"""Files as a source: finding them, unpacking them, and reading CSV, JSON, Parquet and Excel exactly."""
