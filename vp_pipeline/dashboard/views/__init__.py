"""The pages: thin, over `queries/`. A page is a function of what it shows; app.py has the table of them.

The folder is not called `pages`: Streamlit would list every module of it as a page of its own.
"""
