"""flake8-detach finds autograd mistakes in PyTorch code without running it. This docstring is the map of the package.

The floors: a module imports only lower floors, or its own room.

    4  plugin  __main__  manual          doors: flake8, the command line, the rules as pages
       language_server                   the door of python-lsp-server; nothing else opens it
       inspection/                       what the linter believes of a line, in words and as a graph; the linter itself never uses it
    3  analysis  fixing/                 the assembly line: syntax tree -> trace -> findings -> reports, or -> mended source
    2  interpreter/   |   rules/         two rooms without a door between them: they meet only in the trace
    1  knowledge/  edits  cures/         facts about torch and its friends, as data; how source is written; which edit mends what
       picture  syntax  index            how a graph is drawn; walks of a program's text; the events of a trace by where they happened
    0  settings  value  trace  rule      the words, and what the project says of its own names
    annex  runtime/                      real torch as the judge; torch is imported nowhere else, and nothing imports this room

The road of a value, `loss = criterion(model(x), y)` and then `print(loss)` in a training loop:

    1. `plugin` hands over the tree that flake8 has parsed; `analysis` stops at once when no rule can fire on the file.
    2. `interpreter` runs the file on abstract values: `criterion` is a module, so calling it derives a live tensor from its inputs.
    3. `knowledge` says what `print` does with its arguments; the trace records that a live tensor reached it.
    4. `rules/det101_logged_live` asks the trace for exactly that, and makes a finding.
    5. `analysis` drops duplicates, resolves positions and sorts; `plugin` gives flake8 the lines.
    6. `runtime` executes the same file under real torch, and must come to the same line and code.

A fix takes the same road, watched: the interpreter also writes down what each expression is worth, the rule gives its finding an Edit out of
`cures`, and `fixing` applies it with the functions of `edits`, looks again, and keeps what has mended the finding and made no other. libcst is
imported there and nowhere else.

The six words:

    Value    what is known of one object; joining two is set union
    Trace    what happened where: the events of the interpretation, and the questions that rules may ask of them
    Effect   what an operation does to values: derive, cut, create, write in place ...
    Rule     one module of `rules/`, a pure function from a trace to findings
    Finding  one mistake at one place, with the parts of its message, and the Edit that mends it where there is one
    Witness  how real torch shows the harm of one code; the witness defines the code, the rule predicts the witness

Doubt means silence: a rule asks for evidence, never for the absence of knowledge.
"""

__version__ = "0.1.0"
