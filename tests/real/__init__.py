"""The proof on real input: real archives, real registries, judged by programs that are not ours."""
