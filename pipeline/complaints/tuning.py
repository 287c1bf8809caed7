"""What of complaints can be configured: the section `complaints` of forewarn.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class Complaints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    knowledge: str = ""  # file or folder of articles that answer complaints, relative to forewarn.yaml
    encoder: Literal["auto", "none", "use"] = "auto"  # what compares meanings; auto = use where installed
    # All topics together; of complaints, so many that are no surge may page.
    false_surges_a_week: Annotated[float, msgspec.Meta(gt=0)] = 1.0
