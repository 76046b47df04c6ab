"""Frame all pages: entry, navigation, address, language, settings, and the views that several place."""
