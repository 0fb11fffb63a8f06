"""What autograd saves where torch's own tables don't tell: operators of Python's syntax, classes of torch.nn, and composite operators.

What every other operator saves is in operators.txt. Only what surely saves is listed here; the rows were found with
torch.autograd.graph.saved_tensors_hooks under torch 2.13.
"""

from __future__ import annotations

from typing import Final

SPELLED: Final = {
    "Mult": "mul", "Div": "div", "Pow": "pow", "MatMult": "matmul",
    "multiply": "mul", "divide": "div", "true_divide": "div", "clip": "clamp", "square": "pow", "relu6": "hardtanh", "absolute": "abs",
    "Sigmoid": "sigmoid", "Tanh": "tanh", "ReLU": "relu", "ReLU6": "hardtanh", "GELU": "gelu", "SiLU": "silu", "LeakyReLU": "leaky_relu",
    "Softplus": "softplus", "ELU": "elu", "Hardtanh": "hardtanh", "Hardswish": "hardswish", "Mish": "mish",
    "MSELoss": "mse_loss", "BCELoss": "binary_cross_entropy", "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "SmoothL1Loss": "smooth_l1_loss", "HuberLoss": "huber_loss",
}
"""What is spelled otherwise, or made of one operator -> the operator whose row in operators.txt holds."""

RESULT: Final = frozenset("softmax log_softmax softmin Softmax LogSoftmax Softmax2d".split())
"""Composite functions, methods and classes of torch.nn that save their result."""

OPERAND: Final = frozenset("layer_norm batch_norm max_pool2d logsigmoid LogSigmoid MaxPool2d MaxPool1d".split())
"""Those that save their first operand."""

EACH_OTHER: Final = frozenset("matmul outer einsum conv2d conv1d linear".split())
"""Products: each operand is saved where another one is live."""

WEIGHTED: Final = frozenset(
    "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm"
    " GroupNorm RNN LSTM GRU RNNCell LSTMCell GRUCell MultiheadAttention PReLU".split()
)
"""Classes of torch.nn that save their input for the gradient of their weights, and their weights where the input is live."""

LINEAR: Final = frozenset("Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d".split())
"""Those of them that save their input for nothing else: where they are frozen, not at all."""
