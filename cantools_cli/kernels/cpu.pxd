cimport cantools_cli.kernels._cpu as _cpu
