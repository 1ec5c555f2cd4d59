# What find_package(coat) finds: after installation in <prefix>/lib/cmake/coat, and for the examples and tests in
# <build>/lib/cmake/coat.
include(CMakePackageConfigHelpers)
set(folder lib/cmake/coat)
install(EXPORT coatTargets NAMESPACE coat:: DESTINATION ${folder})
export(EXPORT coatTargets NAMESPACE coat:: FILE "${PROJECT_BINARY_DIR}/${folder}/coatTargets.cmake")
configure_package_config_file(cmake/coatConfig.cmake.in "${PROJECT_BINARY_DIR}/${folder}/coatConfig.cmake"
  INSTALL_DESTINATION ${folder})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/${folder}/coatConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
configure_file(cmake/coatModel.cmake "${PROJECT_BINARY_DIR}/${folder}/coatModel.cmake" COPYONLY)
install(FILES
  "${PROJECT_BINARY_DIR}/${folder}/coatConfig.cmake"
  "${PROJECT_BINARY_DIR}/${folder}/coatConfigVersion.cmake"
  cmake/coatModel.cmake
  DESTINATION ${folder})
