"""Files of the factory: a directory of this host that becomes a module's first files."""

import contextlib
import pathlib
import tempfile


@contextlib.contextmanager
def factory_files(files):
    """The path of a directory that holds them; names to contents."""
    with tempfile.TemporaryDirectory(prefix="zentrid-files-") as directory:
        for name, contents in files.items():
            path = pathlib.Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)
        yield directory
