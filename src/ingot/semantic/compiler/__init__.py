"""Project files -> `Model`: the specs of cubes and views with every name resolved and every snippet parsed."""
