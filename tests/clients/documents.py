"""Reads the documents with the tools of their formats.

Reads {"skills": {name: text}, "llms": text, "security": text}. Prints what each tool found wrong, and what it read.
"""

import json
import sys
import tempfile
from pathlib import Path

import sectxt
from llms_txt import parse_llms_file
from skills_ref import validate

given = json.load(sys.stdin)
found = {"skills": {}}
with tempfile.TemporaryDirectory() as place:
    for name, text in given["skills"].items():
        directory = Path(place, name)
        directory.mkdir()
        (directory / "SKILL.md").write_text(text)
        found["skills"][name] = validate(directory)
llms = parse_llms_file(given["llms"])
found["llms"] = {
    "title": llms.title,
    "sections": list(llms.sections),
    "links": sum(len(links) for links in llms.sections.values()),
}
security = sectxt.Parser(given["security"].encode())
found["security"] = [problem["code"] for problem in security.errors]
print(json.dumps(found))
