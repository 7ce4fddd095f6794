"""SELECTs over the model: what of them it is asked, as queries like any other, and the measures of joined rows."""
