"""Compressed databases: SQLite works on a temporary plain copy while the database is open."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing

from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import CHUNK, InputStream, OutputStream


class PlainCopy:
    """A temporary plain copy of the compressed database ``path``, empty if there is no such file."""

    def __init__(self, path: str) -> None:
        self._target = path
        self._folder = tempfile.mkdtemp(prefix="canx-")
        self.path = os.path.join(self._folder, os.path.splitext(os.path.basename(path))[0])  #: the copy
        try:
            if os.path.exists(path) and os.path.getsize(path):
                with closing(InputStream(path)) as source, open(self.path, "wb") as file:
                    while data := source.read():
                        file.write(data)
        except BaseException:
            self.remove()
            raise

    def pack(self) -> None:
        """Compress the copy, and replace the original database with it."""
        part = f"{self._target}.part"
        packed = OutputStream(part, compression=compression_of(self._target), is_binary=True)
        with closing(packed) as output, open(self.path, "rb") as file:
            while data := file.read(CHUNK):
                output.write(data)
        os.replace(part, self._target)

    def remove(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._folder, ignore_errors=True)
