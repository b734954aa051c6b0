"""Makes a later inventory of another: the first grants are gone, the first app's codes go elsewhere, and another one is there under a hostile name."""

import copy
import json
import sys

source, target = sys.argv[1:]
lines = [json.loads(line) for line in open(source)]
lines[0]["snapshot"]["taken_at"] = "2099-01-01T00:00:00Z"
grants = [line for line in lines if "grant" in line.get("record", {})]
for line in grants[:3]:
    lines.remove(line)
first = next(line for line in lines if "app" in line.get("record", {}))
first["record"]["app"]["redirect_domains"] = {"known": ["evil.example"]}
other = copy.deepcopy(first)
other["record"]["app"] |= {"id": "OTHER", "name": "<&> \"]]> ](http://evil.example)\u0007"}
lines.insert(lines.index(first), other)
lines[-1] = {"end": sum("record" in line for line in lines)}
with open(target, "w") as file:
    file.writelines(json.dumps(line) + "\n" for line in lines)
