"""Fine-tuning a model of the transformers library on texts of one's own, as a run like any other."""
