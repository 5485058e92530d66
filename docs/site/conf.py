"""How Sphinx makes the course's pages from what tools/site writes. Nothing is executed, nothing fetched."""

import os

project = "Unrolled"
author = "the authors of Unrolled"
project_copyright = "the authors of Unrolled; text CC BY 4.0, code MIT"
extensions = ["myst_nb", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # would come from a CDN; explorers are pages of their own
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_inline", "strikethrough"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header", "misc.highlighting_failure"]

html_theme = "furo"
html_title = "Unrolled"
html_static_path = [os.environ["UNROLLED_SITE_STATIC"]]
html_extra_path = [os.environ["UNROLLED_SITE_EXTRA"]]
html_css_files = ["site.css"]
html_js_files = ["tokens.js", "site.js"]
html_favicon = os.path.join(os.environ["UNROLLED_SITE_STATIC"], "icon.svg")
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
mathjax_path = "../mathjax/tex-svg.js"  # seen from _static
mathjax4_config = {
    "loader": {"paths": {"mathjax-newcm": "[mathjax]/font"}},
    "output": {"displayOverflow": "scroll", "fontPath": "[mathjax]/font"},
    "options": {
        "enableMenu": False,
        "enableSpeech": False,
        "enableBraille": False,
        "enableExplorer": False,
        "menuOptions": {"settings": {"speech": False, "braille": False, "assistiveMml": True}},
    },
}

LIGHT = {
    "color-brand-primary": "#0067a3",
    "color-brand-content": "#0067a3",
    "color-background-primary": "#ffffff",
    "color-background-secondary": "#f6f6f3",
    "color-foreground-primary": "#1b1f24",
    "color-foreground-secondary": "#5b6470",
}
DARK = {
    "color-brand-primary": "#5bb4ea",
    "color-brand-content": "#5bb4ea",
    "color-background-primary": "#121417",
    "color-background-secondary": "#1a1d21",
    "color-foreground-primary": "#e8eaed",
    "color-foreground-secondary": "#a2abb6",
}
html_theme_options = {
    "light_css_variables": LIGHT,
    "dark_css_variables": DARK,
    "navigation_with_keys": True,
    "top_of_page_buttons": [],
}
