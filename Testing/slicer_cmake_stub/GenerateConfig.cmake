# Stands in for SlicerExtensionGenerateConfig.cmake: the metadata that it insists on.
foreach(stub_name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION)
  if("${EXTENSION_${stub_name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${stub_name} is not set")
  endif()
endforeach()
file(
  WRITE "${CMAKE_BINARY_DIR}/description.s4ext"
  "homepage ${EXTENSION_HOMEPAGE}\niconurl ${EXTENSION_ICONURL}\nscreenshoturls ${EXTENSION_SCREENSHOTURLS}\n"
)
