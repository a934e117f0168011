"""The JSON schemas in custom resource definitions, for validate.py: crdSchemas.py FOLDER FILE….

Writes FOLDER/KIND-GROUP-VERSION.json.
"""

import json
import pathlib
import sys

import yaml

folder, *files = sys.argv[1:]
pathlib.Path(folder).mkdir(exist_ok=True)
for file in files:
    for item in yaml.safe_load_all(open(file, encoding="utf-8")):
        if not item or item["kind"] != "CustomResourceDefinition":
            continue
        kind = item["spec"]["names"]["kind"].lower()
        group = item["spec"]["group"].split(".")[0]
        for version in item["spec"]["versions"]:
            pathlib.Path(folder, f"{kind}-{group}-{version['name']}.json").write_text(json.dumps(version["schema"]["openAPIV3Schema"]))
