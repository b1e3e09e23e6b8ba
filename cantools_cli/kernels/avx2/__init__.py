"""Some kernels once more, compiled for AVX2; ``cantools_cli.kernels`` takes them first where that runs."""
