"""`tree.json`: a tree with everything that says what it is, canonical and sealed.

One text for one tree: sorted keys, two spaces, a newline at the end. `digest` is the SHA-256 of the
same text without it, so a changed file is noticed; the page's own digest ties `tree.bin` to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from policies.distill.spec import FEATURE_NAMES, FEATURES, SPEC_VERSION, hash_spec
from policies.distill.tree import Leaf, Node, Split, count_leaves, encode_page

SCHEMA: Final = 1
TREE_FILE: Final = "tree.json"
TIE_RULE: Final = "score descending, height ascending, rotation ascending, column ascending"


class ArtefactError(ValueError):
    """A `tree.json` that is missing, damaged or of another version."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A distilled tree and where it comes from."""

    tree: Node
    policy: str
    """Text of the policy that taught it."""
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    """How it was distilled; plain JSON values."""
    measures: Mapping[str, Any] = field(default_factory=dict)
    """What was measured of it; plain JSON values that depend on the seed alone."""

    def to_json(self) -> str:
        """Return the canonical text."""
        facts: dict[str, Any] = {
            "schema": SCHEMA,
            "spec": {
                "version": SPEC_VERSION,
                "hash": hash_spec(),
                "features": [asdict(feature) for feature in FEATURES],
                "tie": TIE_RULE,
            },
            "policy": self.policy,
            "seed": self.seed,
            "settings": dict(self.settings),
            "measures": dict(self.measures),
            "leaves": count_leaves(self.tree),
            "page_sha256": hashlib.sha256(encode_page(self.tree)).hexdigest(),
            "tree": _to_plain(self.tree),
        }
        facts["digest"] = _seal(facts)
        return _render(facts)


def parse_artefact(text: str, source: str) -> Artefact:
    """Return the tree of a `tree.json`.

    Args:
        text: The file.
        source: Its name, for errors.

    Raises:
        ArtefactError: It is no such file, was changed, or is of another version.
    """
    try:
        facts = json.loads(text)
        digest = facts.pop("digest")
        if digest != _seal(facts):
            raise ArtefactError(
                f"expected {source} as it was exported, got one that was changed: its digest does "
                "not match; export it again"
            )
        _check_version(facts, source)
        artefact = Artefact(
            tree=_from_plain(facts["tree"]),
            policy=str(facts["policy"]),
            seed=int(facts["seed"]),
            settings=facts["settings"],
            measures=facts["measures"],
        )
    except ArtefactError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(
            f"expected a tree that `league export` wrote in {source}, got: {error!r}"
        ) from error
    return artefact


def read_artefact(folder: Path) -> Artefact:
    """Return the tree of an exported folder.

    Raises:
        ArtefactError: There is none, or it cannot be used.
    """
    path = folder / TREE_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtefactError(
            f"expected a folder of `league export` with {TREE_FILE}, got {str(folder)!r}: {error}"
        ) from error
    return parse_artefact(text, str(path))


def _check_version(facts: Mapping[str, Any], source: str) -> None:
    ours, theirs = (SCHEMA, hash_spec()), (facts["schema"], facts["spec"]["hash"])
    if ours != theirs:
        raise ArtefactError(
            f"expected a tree of feature spec version {SPEC_VERSION} in {source}, got version "
            f"{facts['spec'].get('version')}; export the policy again"
        )


def _seal(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(_render(facts).encode()).hexdigest()


def _render(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _to_plain(node: Node) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return {"value": node.value, "slope": node.slope}
    return {
        "feature": FEATURE_NAMES[node.feature],
        "threshold": node.threshold,
        "below": _to_plain(node.left),
        "from": _to_plain(node.right),
    }


def _from_plain(plain: Mapping[str, Any]) -> Node:
    if "value" in plain:
        return Leaf(plain["value"], plain["slope"])
    return Split(
        FEATURE_NAMES.index(plain["feature"]),
        plain["threshold"],
        _from_plain(plain["below"]),
        _from_plain(plain["from"]),
    )
