"""The places where the run is watched: torch functions, backward passes, module calls, optimizer steps and what
belongs to them, attributes, switches, sinks, lines.

Each module watches one kind of thing and emits events; none judges, and none changes what the program does.
Each has `install(run)`, which returns nothing and lasts for the life of the process: a process runs one program.
"""
