"""The verdicts as they are, in JSON: `schemas/verdicts-1.json`.

`format` is the version of the structure. Within a version keys may be added; one that is there keeps its meaning.
"""

import json

from kata.formats import points

FORMAT = 1


def text(verdicts, partial):
    """Return {"format", "verdicts"} as JSON text, with "points" where they are counted in part."""
    document = {"format": FORMAT, "verdicts": verdicts}
    if partial:
        earned, possible = points.of_all(verdicts, partial)
        document["points"] = {"earned": earned, "possible": possible}
    return json.dumps(document, indent=1)
