"""What may be shown of people, and pseudonyms turned back."""
