"""The console's page in a real browser: people of both languages, on both clouds."""
