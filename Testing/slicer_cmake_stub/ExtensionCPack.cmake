# Stands in for SlicerExtensionCPack.cmake, which makes the package.
set(STUB_PACKAGED TRUE)
