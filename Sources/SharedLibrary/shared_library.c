/* No code: this target holds the linker's options of the shared library (Package.swift), which the program does not have. */
