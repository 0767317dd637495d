"""Holds the shape of the code base: who may import what, and how large and explained things are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("league", "envs", "policies")

LAYERS = ("envs.game", "envs.backends", "envs", "policies", "league")
"""Each layer may import itself and those before it; a module is in the longest prefix it has."""

BACKENDS_IN_POLICIES = (
    "policies.search",
    "policies.distill",
    "policies.decision",
    "policies.export",
    "policies.guided",
)
"""Policies that may open backends; the others know the protocol at most."""

CORE = {
    f"league.{name}"
    for name in (
        "database",
        "durable",
        "manager",
        "matchmaking",
        "payoff",
        "pool",
        "ratings",
        "recent",
        "rng",
        "roles",
        "roms",
        "rundir",
        "snapshot_gate",
        "statistics",
        "store",
    )
}
"""The league core: numpy, scipy and the standard library only."""

HEAVY = {
    "ray": ("league.training",),
    "wandb": ("league.tracking.weights_and_biases",),
    "tensorboardX": ("league.tracking.tensorboard",),
    "stable_retro": ("envs.backends.retro",),
    "torch": (
        "policies.network",
        "policies.distill.practice",
        "league.training",
        "league.snapshots",
        "league.evaluation",
    ),
    "safetensors": ("policies.network", "league.training", "league.snapshots"),
    "omegaconf": ("league.config",),
    "sklearn": ("policies.distill",),
    "pettingzoo": ("envs", "league.training"),
    "gymnasium": ("envs", "league.training"),
    "supersuit": ("envs", "league.training"),
}
"""Where a package may be imported at all."""

IN_FUNCTIONS_ONLY = {"wandb", "tensorboardX", "stable_retro", "sklearn"}

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module, and whether importing the importer imports it too."""

    name: str
    line: int
    at_import: bool


@dataclass(frozen=True)
class Module:
    """A source file of ours, parsed."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return layer_of(self.name)


def layer_of(name: str) -> str:
    return max((layer for layer in LAYERS if is_within(name, layer)), key=len)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def load_modules() -> list[Module]:
    modules = []
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        modules.append(Module(name, path, text, ast.parse(text, str(path))))
    return modules


def imports_of(module: Module) -> Iterator[Import]:
    """Yield all imports, those inside functions and `if TYPE_CHECKING` marked as not at import."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]

    def visit(node: ast.AST, at_import: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{stem}.{base}".rstrip(".")
            # `from envs import backends` imports the module envs.backends, not a name of envs.
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in MODULE_NAMES else base, node.lineno, at_import)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            at_import = False
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_import)

    return visit(module.tree, True)


MODULES = load_modules()
MODULE_NAMES = {module.name for module in MODULES}


def each_import() -> Iterator[tuple[Module, Import]]:
    return ((module, found) for module in MODULES for found in imports_of(module))


def describe(module: Module, line: int, what: str) -> str:
    return f"{module.path.relative_to(ROOT)}:{line}: {what}"


def test_layers_import_downwards_only() -> None:
    wrong = []
    for module, found in each_import():
        if found.name.partition(".")[0] not in PACKAGES:
            continue
        if LAYERS.index(layer_of(found.name)) > LAYERS.index(module.layer):
            wrong.append(describe(module, found.line, f"imports {found.name}"))
    assert not wrong


def test_policies_open_no_backends() -> None:
    wrong = [
        describe(module, found.line, f"imports {found.name}")
        for module, found in each_import()
        if module.layer == "policies" and layer_of_ours(found.name) == "envs.backends"
        if found.name != "envs.backends.base"
        if not module.name.startswith(BACKENDS_IN_POLICIES)
    ]
    assert not wrong


def layer_of_ours(name: str) -> str | None:
    return layer_of(name) if name.partition(".")[0] in PACKAGES else None


def test_the_game_needs_numpy_only() -> None:
    wrong = [
        describe(module, found.line, f"imports {found.name}")
        for module, found in each_import()
        if module.layer == "envs.game"
        if is_third_party(found.name) and not is_within(found.name, "numpy")
    ]
    assert not wrong


def is_third_party(name: str) -> bool:
    top = name.partition(".")[0]
    return top not in PACKAGES and top not in sys.stdlib_module_names


def test_the_league_core_needs_numpy_and_scipy_only() -> None:
    wrong = [
        describe(module, found.line, f"imports {found.name}")
        for module, found in each_import()
        if any(is_within(module.name, core) for core in CORE) and is_third_party(found.name)
        if found.name.partition(".")[0] not in {"numpy", "scipy"}
    ]
    assert not wrong


@pytest.mark.parametrize("package", sorted(HEAVY))
def test_heavy_packages_stay_where_they_belong(package: str) -> None:
    wrong = [
        describe(module, found.line, f"imports {found.name}")
        for module, found in each_import()
        if is_within(found.name, package)
        if not any(is_within(module.name, home) for home in HEAVY[package])
    ]
    assert not wrong


@pytest.mark.parametrize("package", sorted(IN_FUNCTIONS_ONLY))
def test_optional_packages_are_imported_in_functions(package: str) -> None:
    wrong = [
        describe(module, found.line, f"imports {found.name}")
        for module, found in each_import()
        if is_within(found.name, package) and found.at_import
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("league", {"numpy", *HEAVY}),
        ("league.cli", set(HEAVY)),
        ("league.ratings", set(HEAVY)),
        ("policies.base", set(HEAVY) - {"pettingzoo", "gymnasium"}),
        ("envs", set(HEAVY) - {"pettingzoo", "gymnasium"}),
        ("envs.backends.retro", set(HEAVY) - {"pettingzoo", "gymnasium"}),
    ],
)
def test_importing_a_light_module_loads_nothing_heavy(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*(set({sorted(absent)!r}) & sys.modules.keys()))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert result.stdout.split() == []


def test_functions_fit_on_a_screen() -> None:
    wrong = []
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    wrong.append(describe(module, node.lineno, f"{node.name} has {length} lines"))
    assert not wrong


def test_files_stay_short() -> None:
    lengths = {module.path.relative_to(ROOT): module.text.count("\n") for module in MODULES}
    assert {path: n for path, n in lengths.items() if n > MAX_FILE_LINES} == {}


def public_definitions(
    node: ast.Module | ast.ClassDef,
) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield public classes, functions and methods, not those nested in functions."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_"):
                continue
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public_definitions(child)


def is_override(node: ast.AST) -> bool:
    return any("override" in ast.unparse(d) for d in getattr(node, "decorator_list", []))


def test_public_things_have_docstrings() -> None:
    wrong = [describe(m, 1, "module") for m in MODULES if not ast.get_docstring(m.tree)]
    wrong += [
        describe(module, node.lineno, node.name)
        for module in MODULES
        for node in public_definitions(module.tree)
        if not ast.get_docstring(node) and not is_override(node)
    ]
    assert not wrong


def test_no_to_do_without_an_issue() -> None:
    note = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!.*#\d)")
    sources = [*(ROOT / "integrations").rglob("*.s"), *(ROOT / "integrations").rglob("*.inc")]
    texts = {module.path: module.text for module in MODULES}
    texts |= {path: path.read_text(encoding="utf-8") for path in sources}
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if note.search(line)
    ]
    assert not wrong


def test_only_the_command_line_prints() -> None:
    wrong = [
        describe(module, node.lineno, "prints")
        for module in MODULES
        if module.name not in {"league.cli", "league.commands.bench"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def test_no_global_random_state() -> None:
    # RLlib draws from numpy's global state, so what seeds it is with the training.
    forbidden = re.compile(r"\b(np|numpy)\.random\.(seed|rand|randn|randint|choice|shuffle)\(")
    wrong = [
        describe(module, number, line.strip())
        for module in MODULES
        if not is_within(module.name, "league.training")
        for number, line in enumerate(module.text.splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert not wrong


# The checks above, checked: each finds what it is there to find.


def parse(text: str, name: str = "policies.example") -> Module:
    return Module(name, Path(f"{name}.py"), text, ast.parse(text))


def test_imports_are_found_wherever_they_stand() -> None:
    text = (
        "import a.b\nfrom c import d\nfrom envs.backends import retro\nfrom . import base\n"
        "def f():\n    import e\nif TYPE_CHECKING:\n    import g\nclass K:\n    import h\n"
    )
    found = {(i.name, i.at_import) for i in imports_of(parse(text))}
    assert found == {
        ("a.b", True),
        ("c", True),
        ("envs.backends.retro", True),
        ("policies.base", True),
        ("e", False),
        ("g", False),
        ("h", True),
    }


def test_layer_is_the_longest_prefix() -> None:
    assert layer_of("envs.game.rules") == "envs.game"
    assert layer_of("envs.gamepad") == "envs"
    assert layer_of("envs") == "envs"
