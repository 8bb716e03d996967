"""Runs docs/score/recompute.py, as a stranger would. Reads {"base", "agent"}."""

import json
import pathlib
import runpy
import sys

request = json.load(sys.stdin)
script = pathlib.Path(__file__).parents[2] / "docs/score/recompute.py"
assert len(script.read_text().splitlines()) <= 40, "the page promises 40 lines"
sys.argv = [str(script), request["base"], request["agent"]]
runpy.run_path(str(script), run_name="__main__")
