"""Compile the kernels where there is a C compiler; without one they run as they are."""

import os

from setuptools import setup

ext_modules = []
if not os.environ.get("CANX_PURE"):
    try:
        from Cython.Build import cythonize

        ext_modules = cythonize(
            ["cantools_cli/kernels/[a-z]*.py"],
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
            extension.extra_compile_args = ["-O3", "-g0"] if os.name != "nt" else ["/O2"]
    except ImportError:
        pass

setup(ext_modules=ext_modules, options={"build_ext": {"parallel": os.cpu_count()}})
