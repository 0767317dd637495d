"""The folder of an export: written whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from league.errors import WriteError
from policies.distill.artefact import TREE_FILE

_TEMPORARY: Final = ".tmp-export-"


def check_target(folder: Path) -> None:
    """See that an export could be written, before any work goes into it.

    Raises:
        WriteError: Something else lies there, or the folder above cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"expected a folder for --out, got the file {folder}")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / TREE_FILE).is_file():
        raise WriteError(
            f"expected an empty folder or an earlier export for --out, got {folder} with other "
            "files; name another one"
        )
    _make_temporary(folder).rmdir()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a folder beside `folder`, then give it that name.

    An export that lies there is replaced; until then it stays whole.

    Raises:
        WriteError: The system refuses; what was there is still there.
    """
    temporary = _make_temporary(folder)
    try:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        temporary.chmod(0o755)
        if folder.is_dir():
            old = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=folder.parent)) / folder.name
            folder.replace(old)
            temporary.replace(folder)
            shutil.rmtree(old.parent)
        else:
            temporary.replace(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise WriteError(_refuse(folder, error)) from error


def _make_temporary(folder: Path) -> Path:
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=folder.absolute().parent))
    except OSError as error:
        raise WriteError(_refuse(folder, error)) from error


def _refuse(folder: Path, error: OSError) -> str:
    return (
        f"expected to write {folder}, but the system refuses: {error.strerror or error}; name "
        "another folder with --out"
    )
