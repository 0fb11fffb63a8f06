"""What autograd saves: which operations keep an operand or their result for the backward pass.

Only what surely saves is listed; an operation that is not listed saves nothing that counts. Source: `derivatives.yaml` of torch 2.13 (the
formulas that name `self`, `other` or `result`), and torch.autograd.graph.saved_tensors_hooks run over each row.
"""

from __future__ import annotations

from typing import Final

RESULT: Final = frozenset(
    "exp sigmoid tanh sqrt rsqrt reciprocal softmax log_softmax relu softmin relu6 expm1 logsumexp cumprod norm"
    " Sigmoid Tanh Softmax LogSoftmax ReLU Softmax2d".split()
)
"""Functions, methods and classes of torch.nn that save their result."""

OPERAND: Final = frozenset(
    "pow square log log2 log10 log1p sin cos tan abs clamp clip clamp_min clamp_max gelu silu leaky_relu softplus hardtanh mse_loss"
    " smooth_l1_loss binary_cross_entropy binary_cross_entropy_with_logits layer_norm batch_norm max_pool2d logsigmoid std var Pow"
    " MSELoss BCELoss BCEWithLogitsLoss SmoothL1Loss GELU SiLU LeakyReLU Softplus MaxPool2d MaxPool1d norm logsumexp prod".split()
)
"""Those that save their first operand."""

EACH_OTHER: Final = frozenset("mul multiply matmul mm bmm dot div true_divide mv outer einsum Mult Div MatMult conv2d conv1d linear".split())
"""Products: each operand is saved where another one is live."""

WEIGHTED: Final = frozenset(
    "Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm"
    " GroupNorm RNN LSTM GRU RNNCell LSTMCell GRUCell MultiheadAttention PReLU".split()
)
"""Classes of torch.nn that save their input for the gradient of their weights, and their weights where the input is live."""
