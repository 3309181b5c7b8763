"""Sphinx: the documentation site, built by `make docs` into build/docs; nothing is fetched to build or to read it."""

import os
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]

import pages  # noqa: E402

import district_sim  # noqa: E402

project = "district-sim"
author = copyright = "district-sim contributors"
version = release = district_sim.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
# Notebooks are executed by the tests; `NOTEBOOKS=cache make docs` executes them for the site as well.
nb_execution_mode = os.environ.get("NOTEBOOKS", "off")
nb_execution_cache_path = str(ROOT / "build" / "notebooks")
nb_execution_raise_on_error = True

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

default_role = "code"  # docstrings mark code with single backticks
smartquotes = False  # two hyphens begin an option
highlight_language = "text"  # indented blocks are equations
html_theme = "pydata_sphinx_theme"
html_title = f"district-sim {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "district-sim"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_prompt_text = "$ "


def _bring_notebooks() -> None:
    """Notebooks stand at the top of the repository, where a reader finds them; Sphinx reads below this folder."""
    target = DOCS / "notebooks"
    shutil.rmtree(target, ignore_errors=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        target.mkdir(exist_ok=True)
        shutil.copy2(notebook, target)


pages.write(DOCS / "generated")
_bring_notebooks()
