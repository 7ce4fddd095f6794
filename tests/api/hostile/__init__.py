"""Hostile requests to the whole application: hostile texts wherever a text can stand, sizes, wrong shapes, bad questions."""
