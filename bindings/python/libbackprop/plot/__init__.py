"""Pictures of networks and fits, by matplotlib: `pip install 'libbackprop[plot]'`. Each function returns the axes it drew on.

    import libbackprop as bp

    bp.plot.learning_curves(history)
    bp.plot.confusion_matrix(network, inputs, targets)
    bp.plot.decision_boundary(network, inputs, targets)     # two inputs
    bp.plot.weight_images(network)                          # the weights of layer 1 as images
    bp.plot.predictions(network, inputs, targets)           # predicted against true numbers, and the residuals
    bp.plot.activation("relu")                              # with its derivative and its kinks
    bp.plot.diagram(network)

Every function accepts `ax`, the axes to draw on. Without it, the function creates a figure: `axes.figure` is that figure.
"""
from ._activation import activation
from ._classes import confusion_matrix, decision_boundary
from ._curves import learning_curves
from ._numbers import predictions
from ._weights import diagram, weight_images

__all__ = [
    "activation", "confusion_matrix", "decision_boundary", "diagram", "learning_curves", "predictions", "weight_images",
]
