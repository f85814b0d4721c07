"""The same finder in the browser, as a static site: no photo leaves the visitor's device.

site/           the site's own files: HTML, CSS and ES modules, which mirror lookalike/ with the same names
data.py         model, detector and gallery in the form that the browser reads
runtime.py      onnxruntime-web, at its pinned version
site_files.py   all files of the site; __main__.py is the command that writes them
"""
