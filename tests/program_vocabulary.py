"""The words of generated programs: which expressions there are of each type, and which statements, as templates with types in their places.

Here: the tables. Not here: how programs are composed of them (program_grammar). All vectors have three elements and all matrices three by three, so
that nearly every composition fits. `{0}`, `{1}`: the operands; `{V}`: something of that type.
"""

from __future__ import annotations

from typing import Final

FLOATS: Final = "VMS"
"""Vector, matrix, scalar. The other types: I: integers, B: booleans, N: a Python number, L: a list and D: a dict of vectors, T: a pair, P: a module,
O: an optimizer."""
UNARY: Final = """-{} | {}.exp() | torch.sigmoid({}) | {}.tanh() | torch.relu({}) | {}.abs() | 2 * {} | {} ** 2 | F.softplus({}) | {}.clone()
    | torch.sin({}) | {}.clamp(min=0) | F.leaky_relu({}, 0.1) | {}.contiguous() * 1 | {}.to(torch.float64) + 0 | torch.sqrt({}.abs() + 1)"""
CUTS: Final = """{}.detach() | {}.data.squeeze() | {}.detach().clone() | {}.clone().detach() | torch.zeros_like({})
        | torch.ones_like({}, requires_grad=True)
    | torch.tensor({}.tolist()) | torch.from_numpy({}.detach().numpy()) | {}.sign().detach() | torch.randn_like({}) | {}.detach().requires_grad_()"""
BINARY: Final = """{0} + {1} | {0} * {1} | {0} - {1} | torch.maximum({0}, {1}) | {0} / ({1}.abs() + 1) | torch.add({0}, {1}) | {0}.mul({1})
        | {1}.lerp({0}, 0.5)"""
MADE: Final[dict[str, str]] = {
    "V": """torch.randn(3) | torch.randn(3, requires_grad=True) | torch.ones(3) | torch.tensor([1.0, 2.0, 3.0], requires_grad=True) | torch.zeros(3)
        | nn.Parameter(torch.randn(3)) | torch.arange(3.0) | torch.full((3,), 2.0) | torch.rand(3).requires_grad_() | torch.linspace(0, 1, 3)""",
    "M": "torch.randn(3, 3) | torch.randn(3, 3, requires_grad=True) | torch.eye(3) | nn.Parameter(torch.zeros(3, 3)) | torch.rand(3, 3)",
    "S": "torch.tensor(0.5) | torch.tensor(2.0, requires_grad=True) | torch.zeros(()) | torch.randn(()) | torch.ones((), requires_grad=True)",
    "I": "torch.arange(3) | torch.randint(0, 3, (3,)) | torch.tensor([0, 2, 1]) | torch.zeros(3, dtype=torch.long)",
    "B": "torch.tensor([True, False, True]) | torch.ones(3, dtype=torch.bool)",
    "N": "0.5 | 2 | 1.5 | 3",
    "P": "nn.Linear(3, 3) | nn.Sequential(nn.Linear(3, 3), nn.ReLU()) | nn.Linear(3, 3).requires_grad_(False)",
    "O": "torch.optim.SGD([nn.Parameter(torch.ones(3))], lr=0.1)",
}
COMPUTED: Final[dict[str, str]] = {
    "V": """{M} @ {V} | {M}.sum(0) | {M}.mean(1) | {M}[0] | {M}[:, 1] | torch.stack([{S}, {S}, {S}]) | torch.cat([{V}, {V}])[:3]
        | torch.where({B}, {V}, {V})
        | {V}[{I}] | {V}.flip(0) | {V}.view(3) | {V}.softmax(0) | {V}.cumsum(0) | {I}.float() | {V} * {N} | {M}.diagonal() | {M}.unbind(0)[1]
        | {P}({V}) | {P}({V}) | {P}({V}).relu() | {P}.bias | {V}.masked_fill({B}, 0.0) | torch.einsum("ij,j->i", {M}, {V}) | {M}.max(1).values
        | {V}.sort().values | {V}.unsqueeze(0).squeeze(0)""",
    "M": """{P}({M}) | {P}.weight | {M} @ {M} | {M}.t() | torch.outer({V}, {V}) | torch.stack([{V}, {V}, {V}]) | {V}.expand(3, 3) | {M} + {V}
        | {M}.T | {M}.reshape(3, 3)
        | {M}.transpose(0, 1) | {M}.softmax(1) | {V}.diag() | {M}.view(9).view(3, 3) | {M} * {N} | F.linear({M}, {M}, {V})""",
    "S": """F.mse_loss({P}({V}), {V}) | {P}({M}).sum() | {V}.sum() | {M}.mean() | {V}.norm() | {V} @ {V} | {V}[0] | torch.dot({V}, {V})
        | F.mse_loss({V}, {V}) | {V}.max() | ({M} * {M}).sum()
        | {V}.pow(2).mean() | {M}[1, 2] | F.cross_entropy({M}, {I}) | {V}.prod() | {M}.trace() | {S} + {N} | sum({V})""",
    "I": "{V}.argsort() | {M}.argmax(1) | {V}.long() | {I} + 1 | {I}.clone() | {M}.max(1).indices | {I}.flip(0) | {V}.round().int().long()",
    "B": "{V} > 0 | {V} > {V} | {I} == 1 | ~{B} | {V}.isfinite() | {V} < {S}",
    "P": "nn.Linear(3, 3) | nn.Sequential({P}, nn.Linear(3, 3))",
    "O": "torch.optim.SGD({P}.parameters(), lr=0.1) | torch.optim.Adam({P}.parameters()) | torch.optim.SGD([{V}, {M}], lr=0.1)",
    "N": "{S}.item() | {V}.sum().item() | {V}.numel() | {V}.tolist()[0] | len({V}) | {M}.shape[0] | float({S}.detach()) | {N} + 1 | int({S}.detach())",
}
TRAINING: Final = """{P}.requires_grad_(False) | {P}.requires_grad_() | {P}.eval() | {P}.train() | {P}.zero_grad() | {P}.weight.requires_grad_(False)
    | {O}.step() | {O}.zero_grad() | {P}.weight.data.mul_(0.5) | {P}.bias.requires_grad = True | {O}.zero_grad(set_to_none=False)"""
CONTAINERS: Final[dict[str, str]] = {
    "L": "[] | [{V}, {V}] | [{V}.detach()] | list({M}) | [{V} for _ in range(2)] | [v * 2 for v in {L}] | list({M}.unbind(0)) | [v for v in {L}]",
    "D": "dict(a={V}, b={V}) | {{'a': {V}, 'b': {V}.detach()}} | {{k: v * 2 for k, v in {D}.items()}}",
    "T": "({V}, {S}) | ({V}.detach(), {S}) | ({V}, {S}.item())",
}
INSIDE: Final[dict[str, str]] = {"L": "{L}[-1] | {L}[0] | sum({L}) | torch.stack({L}).sum(0)", "D": "{D}['a'] | {D}['b'] | {D}.get('a')", "T": "{T}[0]"}
INPLACE: Final = """{0}.add_({1}) | {0} += {1} | {0} *= {1} | {0}.copy_({1}) | {0}.zero_() | {0}.mul_(2) | {0}.clamp_(min=0) | {0}.fill_(1.0) | {0} -= 1
    | {0}.data.add_(1) | {0}.data = {1}.detach() | {0}.detach().mul_(2) | {0}.detach_() | {0}.requires_grad_() | {0}.requires_grad_(False)
    | {0}.requires_grad = True | {0}.sub_({1}, alpha=0.1) | torch.relu_({0}) | {0}.grad = None | {0}.retain_grad()"""
ELEMENTS: Final = "{V}[0] = {S} | {M}[1] = {V} | {V}[1:] = 0 | {M}[:, 0] += {V} | {M}[0].zero_() | {V}.view(3).mul_(2) | {M}.t().add_(1) | {V}[{I}] = 1.0"
GROWTH: Final = """{L}.append({V}) | {L}.append({V}.detach()) | {L}.extend([{V}, {V}]) | {D}['a'] = {V} | {D}['c'] = {V} | {L} += [{V}]
        | {L}.insert(0, {V}) | {L}.clear()"""
SINKS: Final = """print({V}) | print({S}.item()) | print(f'{{{S}}}') | float({S}) | {V}.numpy() | torch.tensor({S}) | copy.deepcopy({V})
        | print({L}) | print({V}.detach())"""
MODES: Final = """torch.no_grad() | torch.enable_grad() | torch.inference_mode() | torch.set_grad_enabled(False) | torch.set_grad_enabled(True)
        | torch.no_grad()
    | torch.inference_mode(False)"""
STATEMENT_MODES: Final = "torch.set_grad_enabled(False) | torch.set_grad_enabled(True)"
HEADER: Final = "import copy\nimport random\n\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n\ntorch.manual_seed(0)\nrandom.seed(0)\n"
ROUNDS: Final = "range(2)"  # the linter looks at two passes; the witness may need more to see something grow
TEST: Final = "random.random() < 0.5"
