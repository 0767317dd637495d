"""The tree as a C header: the table, the features' numbers, and a walker of ten lines."""

from __future__ import annotations

from typing import Final

from policies.distill.spec import FEATURES, LEAF_BASE, NUM_FEATURES, SLOPE_DEPTH
from policies.distill.tree import Node, encode_tree

_BYTES_A_LINE: Final = 12

_WALKER: Final = f"""\
/* Score of a candidate, 73..162: the greatest wins, then the lowest, then the first. */
static inline unsigned char pill_tree_walk(const unsigned char features[PILL_NUM_FEATURES]) {{
    const int depth = features[PILL_DEPTH];
    unsigned char at = 0;
    while (pill_tree[at] < 0x{LEAF_BASE:02X}) {{
        const unsigned char split = pill_tree[at];
        const int left = features[split >> 4] <= (split & 0x0F);
        at = left ? (unsigned char)(at + 2) : pill_tree[at + 1];
    }}
    return (unsigned char)(
        (pill_tree[at] + 1) / 2 + depth + (pill_tree[at] & 3) * ({SLOPE_DEPTH} - depth));
}}
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
