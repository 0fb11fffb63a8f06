"""Names that mean something by habit: they may break a tie where nothing in the file contradicts them, and nothing more.

Here: patterns on the last part of a name. Not here: anything decided by a name alone in a code that is on by default.
"""

from __future__ import annotations

import re
from typing import Final

CRITERIA: Final = re.compile(
    r"^_?(criterion\w*|crit|loss_?(fn|func|fun|function|f)\w*|\w+_(criterion|loss_fn|loss_func)|\w*loss_function|mse|bce|\w*_loss)$", re.I
)
"""Callables that compute a differentiable loss from what they are given."""

MODELS: Final = re.compile(
    r"^_?(model|net|network|module|generator|discriminator|actor|critic|policy|encoder|decoder|backbone|classifier|agent|netG|netD|G|D"
    r"|\w+_(model|net|network)|unet|vae|gan|autoencoder|transformer|student|teacher|q_network|policy_net|target_net)$",
    re.I,
)

MAKERS: Final = re.compile(
    r"^_?(get|build|make|create|load|save|unwrap|wrap|init\w*|setup|set|prepare|define|construct|new|update|reset|copy|clone|freeze|compile|export"
    r"|convert|parse|select|find|choose|register|restore|download|import|shard|parallelize|replace|add|remove|move|log|print|plot)_"
)
"""Names that end like a model's, of functions that hand one over or do something to one."""

OPTIMIZERS: Final = re.compile(r"^_?(opt|optim|optimizer|optimiser|solver|opt\w*_?\w{0,12}|\w+_(opt|optim|optimizer)|optimizer\w*|\w*optim\w*)$", re.I)

EVALUATIONS: Final = re.compile(
    r"(^|_)(eval|evaluate|evaluation|evaluator|valid|validate|validation|val|test|testing|predict|prediction|predictions|infer|inference"
    r"|sample|samples|sampling|generate|translate|visuali[sz]e|interpolate|caption|demo)(_|$)"
)
TRAININGS: Final = re.compile(r"(^|_)(train|training|fit|learn|update|optimi[sz]e|backward|closure|attack|finetune)(_|$)")
FREEZES: Final = re.compile(r"^_*freeze(?![a-z])|_freeze$", re.I)
LOADERS: Final = re.compile(
    r"(^|_)(val|valid|validation|test|eval|dev)_?(\w*_)?(loader|dataloader|dl|iter|set|data|batches|generator)\w*$"
    r"|^(val|test|valid|eval|dev)(_?loader|_?dl|_?iter)$",
    re.I,
)
FORWARDS: Final = re.compile(
    r"^_?(forward\w*|\w+_forward|encode\w*|decode\w*|sample|generate|predict\w*|infer\w*|get_action\w*|get_value\w*|translate|embed|extract\w*|reconstruct\w*"
    r"|interpolate|classify|detect|compute_loss|logits|features|caption\w*|greedy\w*|beam\w*|synthesi[sz]e)$"
)
"""Methods by which a model is run, where the file does not show them."""
PARTS: Final = re.compile(r"^_?(\w+_forward|encode|decode|decode_step|embed|extract_features|reconstruct|features|logits)$")
HALVES: Final = re.compile(PARTS.pattern + r"|^_?(sample|get_(action|value)\w*)$")
"""Such methods that are a part of a forward, and not a whole inference, which may be expected to switch gradients off itself."""
HOOKS: Final = re.compile(r"^_(?!_)|^(on|before|after|pre|post)_|_(step|hook|begin|start|end|epoch|batch)$")
"""Methods that a base class may call, in a mode of its own."""
ACTS: Final = re.compile(r"(^|_)actions?(_|$)|^_?act$|^_?act_|_act$")
"""Functions that select an action."""
ENGINES: Final = re.compile(r"^_?(self|accelerator|fabric|engine|\w*_engine|model_engine|optimizer|scaler|trainer|strategy|manager)$", re.I)
"""Objects whose `backward(loss)` back-propagates the loss."""
SCALERS: Final = re.compile(r"^_?(\w+_)?(grad_?|amp_?|loss_?)?scaler$", re.I)
"""Objects whose `scale(loss)` is a GradScaler's."""
ACCUMULATION: Final = re.compile(r"accum|micro|virtual", re.I)
"""Periods of gradient accumulation."""
COUNTERS: Final = re.compile(r"(^|_)(i|it|iters?|iteration|steps?|epochs?|batch|idx|index|count|counter|n)(_|$)|_num$", re.I)
"""Names that count something."""
REWARDS: Final = re.compile(r"(^|_)(r|rs|rt|rew|rews|rewards?)(_|t?$)|reward", re.I)
"""What a bootstrap target adds its discounted estimate to."""
CLEARS: Final = re.compile(r"(zero|clear|reset)_?(the_)?grad|grads?_(to_)?(zero|none)", re.I)
"""Functions that clear gradients, where the file does not show them."""
WEIGHTS: Final = re.compile(
    r"(^|_)(weights?|bias|biases|params?|parameters?|token|pos_embed(ding)?s?|prompts?|(logit_)?scale|temperature|alpha|beta|gamma)$|^(weight|bias)_"
)
"""Attributes of modules that are parameters, and no modules."""
BACKPROPAGATES: Final = re.compile(r"backward|back_?prop|grad_?scaler|loss_?scaler|optimi[sz]e|amp_step", re.I)


def words(name: str) -> str:
    """A name in snake case, so that `runValidation` and `run_validation` look the same to the patterns."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def is_model(name: str) -> bool:
    """Whether a name is a model's by habit."""
    return MODELS.match(name) is not None and not MAKERS.match(name)


def is_criterion(name: str) -> bool:
    """Whether the name of something that an object holds is a loss function's, and not a method's that does something about a loss."""
    return CRITERIA.match(name) is not None and not MAKERS.match(name) and not FORWARDS.match(name)
