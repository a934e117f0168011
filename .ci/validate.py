"""Validates rendered objects strictly: validate.py KUBERNETES_VERSION SCHEMAS FILE.

Kubernetes' own kinds by kubernetes-validate, all others by the schemas of their definitions (KIND-GROUP-VERSION.json in
SCHEMAS); a kind with neither is an error.
"""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

version, schemas, file = sys.argv[1:]


def closed(schema):
    """The schema with unknown fields forbidden, as in the API server's strict validation."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        copy.setdefault("additionalProperties", False)
    return copy


def definition(item):
    group, _, api = item["apiVersion"].partition("/")
    path = pathlib.Path(schemas, f"{item['kind'].lower()}-{group.split('.')[0]}-{api}.json")
    if not path.exists():
        raise LookupError("no schema for this kind")
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"].update(apiVersion={"type": "string"}, kind={"type": "string"}, metadata={"type": "object"})
    return closed(schema)


count = problems = 0
for item in yaml.safe_load_all(open(file, encoding="utf-8")):
    if item is None:
        continue
    count += 1
    try:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            jsonschema.Draft202012Validator(definition(item)).validate(item)
    except (kubernetes_validate.ValidationError, jsonschema.ValidationError, LookupError) as error:
        problems += 1
        where = ".".join(str(each) for each in getattr(error, "path", []))
        print(f"{item.get('apiVersion')} {item.get('kind')} {item['metadata']['name']}: {where}: {getattr(error, 'message', error)}")
print(f"{count} objects")
sys.exit(1 if problems or count == 0 else 0)
