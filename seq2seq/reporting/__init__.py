"""Reports about a model, for people.

Other rooms use `report` (an HTML page of scores, learning curves, error analysis and attention), `model_card` (the
README.md of a model folder) and `benchmark` (the speed of training and translating, beside the processor's peak).
Inside, `pictures` draws for `report`; `peak`, `training_speed` and `translation_speed` measure for `benchmark`, each in
a new process started by `isolation`.
"""
