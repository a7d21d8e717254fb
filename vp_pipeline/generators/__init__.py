"""The files in the repository that a program writes: `make generate`.

Here: one module per kind of file. Not here: what is generated at run time.
"""
