"""Compile the kernels where there is a C compiler; without one they run as they are."""

import os
import platform
import shutil
import sys

from setuptools import Extension, setup

KERNELS = "cantools_cli/kernels"
FLAGS = [
    "-O3",
    "-g0",
    "-ffp-contract=off",
]  # a fused multiply-add would change the last bit of values, on ARM
#: those that gain by what x86-64 processors of the last ten years have, each compiled a second time for it
WIDE = ("asc", "busmaster", "candump", "csv_lines", "gvret", "jsonl", "printed", "screen_lines", "trc")
WIDE_FLAGS = ["-mavx2", "-mbmi", "-mbmi2", "-mlzcnt"]  # all that cpu.has_avx2 asks for, and no more

ext_modules = []
if not os.environ.get("CANX_PURE"):
    try:
        from Cython.Build import cythonize

        ext_modules = cythonize(
            [f"{KERNELS}/[a-z]*.py"],
            exclude=[f"{KERNELS}/buffers.py"],  # types alone
            build_dir="build/cython",
            nthreads=os.cpu_count() or 1,
            compiler_directives={
                "language_level": 3,
                "annotation_typing": False,
                "boundscheck": False,
                "wraparound": False,
                "initializedcheck": False,
                "cdivision": True,
            },
        )
        for extension in ext_modules:
            extension.optional = True  # cythonize drops it: an install without a compiler would fail
            extension.include_dirs = [KERNELS]  # words.h
            extension.extra_compile_args = FLAGS if os.name != "nt" else ["/O2"]
        if sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 1 << 32:
            for extension in list(ext_modules):
                package, _, name = extension.name.rpartition(".")
                if name in WIDE:
                    source = f"build/cython/avx2/{name}.c"  # a copy, or both would have one object file
                    os.makedirs(os.path.dirname(source), exist_ok=True)
                    shutil.copy2(extension.sources[0], source)
                    wide = Extension(
                        f"{package}.avx2.{name}",
                        [source],
                        depends=extension.depends,
                        include_dirs=[KERNELS],
                        extra_compile_args=[*FLAGS, *WIDE_FLAGS],
                        optional=True,
                    )
                    ext_modules.append(wide)
    except ImportError:
        pass

setup(ext_modules=ext_modules, options={"build_ext": {"parallel": os.cpu_count()}})
