"""A player for `league match "exec:python examples/exec_player.py" greedy`, as short as can be.

It drops every capsule as low as it can, and far from the middle. It needs nothing but Python, and
speaks the protocol of `docs/league.md`: an object of JSON comes in on a line, and one goes out.
"""

from __future__ import annotations

import json
import sys

WAIT = 512


def choose(legal: list[int]) -> int:
    """Return the legal placement with the lowest pivot; a pose is rotation, row and column."""
    poses = [action for action in legal if action != WAIT]
    if not poses:
        return WAIT
    return max(poses, key=lambda pose: (pose % 128 // 8, abs(pose % 8 - 3)))


def main() -> None:
    """Answer until the league closes the pipe."""
    for line in sys.stdin:
        message = json.loads(line)
        answer: dict[str, object] = {"observation": "position", "actions": "placement"}
        if message["type"] == "act":
            action = choose(message["legal"])
            answer = {"game": message["game"], "turn": message["turn"], "action": action}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
