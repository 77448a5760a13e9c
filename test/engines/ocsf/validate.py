"""Holds each line of standard input, an event, against OCSF's own schema of its class. Prints what does not fit; the last line counts."""
import json
import sys

sys.path.insert(0, sys.argv[1])
from jsonschema import Draft202012Validator  # noqa: E402
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # noqa: E402

schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(sys.argv[2]))
validators = {}
events = 0
bad = 0
for line in sys.stdin:
    event = json.loads(line)
    uid = event["class_uid"]
    if uid not in validators:
        validators[uid] = Draft202012Validator(schema.get_class_schema(schema.lookup_class_name_from_uid(uid)))
    events += 1
    for error in validators[uid].iter_errors(event):
        bad += 1
        if bad <= 20:
            print(f"class {uid}, {'.'.join(map(str, error.path))}: {error.message[:200]}")
print(json.dumps({"events": events, "bad": bad, "classes": sorted(validators)}))
