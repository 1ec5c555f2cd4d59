// Compiles the precompiled header once; holds nothing itself.
