"""The faces: views become drawings, figures and words; labs become pages."""
