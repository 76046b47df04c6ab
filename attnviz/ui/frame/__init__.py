"""What all pages stand in: entry, navigation, address, language, settings, and the views that several place."""
