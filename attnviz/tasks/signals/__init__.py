"""Tasks of numbers: pictures, series, sound."""
