"""What operators and tests run. Nothing else in the package imports from here."""
