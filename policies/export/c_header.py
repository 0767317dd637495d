"""The tree as a C header: the table, the features' numbers, and a walker of ten lines."""

from __future__ import annotations

from typing import Final

from policies.distill.spec import FEATURES, NUM_FEATURES
from policies.distill.tree import Node, encode_tree

_BYTES_A_LINE: Final = 12

_WALKER: Final = """\
/* Value of a candidate, 1..127: the greatest wins, then the least height, then the first. */
static inline unsigned char pill_tree_walk(const unsigned char features[PILL_NUM_FEATURES]) {
    unsigned char at = 0;
    while (pill_tree[at] < 0x80) {
        const unsigned char below = features[pill_tree[at]] < pill_tree[at + 1];
        at = below ? (unsigned char)(at + 3) : pill_tree[at + 2];
    }
    return pill_tree[at] & 0x7F;
}
"""


def render_header(tree: Node, policy: str) -> str:
    """Return `tree.h`.

    Args:
        tree: What to write.
        policy: Text of the policy that taught it, for the heading.
    """
    data = encode_tree(tree)
    rows = [
        "    " + " ".join(f"0x{byte:02X}," for byte in data[start : start + _BYTES_A_LINE])
        for start in range(0, len(data), _BYTES_A_LINE)
    ]
    # The policy's name is a user's text: it must not end the comment.
    name = policy.replace("*/", "* /")
    lines = [
        f"/* A decision tree that plays Pill Duel, distilled from {name}. */",
        "#ifndef PILL_TREE_H",
        "#define PILL_TREE_H",
        "",
        f"enum {{ PILL_NUM_FEATURES = {NUM_FEATURES} }};",
        "enum pill_feature {",
        *(
            f"    PILL_{one.name.upper()} = {number}, /* {one.low}..{one.high}: {one.meaning} */"
            for number, one in enumerate(FEATURES)
        ),
        "};",
        "",
        f"static const unsigned char pill_tree[{len(data)}] = {{",
        *rows,
        "};",
        "",
        _WALKER,
        "#endif",
    ]
    return "\n".join(lines) + "\n"
