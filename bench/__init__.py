"""Side-by-side measurements: `python -m bench.<name> [--json]`. Ratios within one run; timing decides no test."""
