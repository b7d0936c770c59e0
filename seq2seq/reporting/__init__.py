"""What is said about a model: `report` (an HTML page with scores, curves and attention), `model_card` (the README.md of
a model folder) and `benchmark` (speed of training and translation beside the hardware's peak).
"""
